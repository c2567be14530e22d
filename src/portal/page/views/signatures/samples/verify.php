<?php
// Nothing to install. The raw body is file_get_contents('php://input'): parsed and written again it
// would have another signature. The headers are array_change_key_case(getallheaders()).

function verify(string $secret, array $headers, string $body, int $tolerance = 300): array
{
    $id = $headers['webhook-id'] ?? '';
    $timestamp = $headers['webhook-timestamp'] ?? '';
    if ($id === '' || !ctype_digit($timestamp)) {
        throw new InvalidArgumentException('this is no push');
    }
    if (abs(time() - (int) $timestamp) > $tolerance) {
        throw new InvalidArgumentException('too old, or a clock is wrong');
    }
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
    if ($key === false || $key === '') {
        throw new LogicException('the secret is malformed');
    }
    $digest = hash_hmac('sha256', "$id.$timestamp.$body", $key, true);
    $expected = 'v1,' . base64_encode($digest);
    // There are several while a secret is being rotated; one that fits is enough.
    foreach (explode(' ', $headers['webhook-signature'] ?? '') as $each) {
        if (hash_equals($expected, $each)) {
            return json_decode($body, true, 512, JSON_THROW_ON_ERROR);
        }
    }
    throw new InvalidArgumentException('the signature does not match');
}
