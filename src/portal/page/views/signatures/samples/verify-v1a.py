# pip install cryptography. `body` is the raw body in bytes; parsed and written again it would have
# another signature. `headers` are those of the request, such as Flask's request.headers.
import base64
import json
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def verify(public_key: str, headers, body: bytes, tolerance: int = 300) -> dict:
    """The event of a push; raises ValueError for everything else."""
    event_id = headers.get("webhook-id") or ""
    timestamp = headers.get("webhook-timestamp") or ""
    signatures = headers.get("webhook-signature") or ""
    if not event_id or not timestamp.isdecimal():
        raise ValueError("this is no push")
    if abs(time.time() - int(timestamp)) > tolerance:
        raise ValueError("too old, or a clock is wrong")
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key.removeprefix("whpk_")))
    signed = f"{event_id}.{timestamp}.".encode() + body
    # There are several while a key is being rotated; one that fits is enough.
    for version, _, signature in (each.partition(",") for each in signatures.split(" ")):
        if version != "v1a":
            continue
        try:
            key.verify(base64.b64decode(signature), signed)
            return json.loads(body)
        except (InvalidSignature, ValueError):
            continue
    raise ValueError("the signature does not match")
