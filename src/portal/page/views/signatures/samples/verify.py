# Nothing to install. `body` is the raw body in bytes; parsed and written again it would have
# another signature. `headers` are those of the request, such as Flask's request.headers.
import base64
import hashlib
import hmac
import json
import time


def verify(secret: str, headers, body: bytes, tolerance: int = 300) -> dict:
    """The event of a push; raises ValueError for everything else."""
    event_id = headers.get("webhook-id") or ""
    timestamp = headers.get("webhook-timestamp") or ""
    signatures = headers.get("webhook-signature") or ""
    if not event_id or not timestamp.isdecimal():
        raise ValueError("this is no push")
    if abs(time.time() - int(timestamp)) > tolerance:
        raise ValueError("too old, or a clock is wrong")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{event_id}.{timestamp}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(digest)
    # There are several while a secret is being rotated; one that fits is enough.
    if not any(hmac.compare_digest(expected, each.encode()) for each in signatures.split(" ")):
        raise ValueError("the signature does not match")
    return json.loads(body)
