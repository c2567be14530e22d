# Nothing to install. `body` is the raw body (request.body.read, or Rails' request.raw_post): parsed
# and written again it would have another signature. With Rack and Rails `headers["webhook-id"]` is
# request.headers["webhook-id"] or request.get_header("HTTP_WEBHOOK_ID").
require "json"
require "openssl"

def verify(secret, headers, body, tolerance: 300)
  id, timestamp = headers["webhook-id"].to_s, headers["webhook-timestamp"].to_s
  raise ArgumentError, "this is no push" if id.empty? || timestamp !~ /\A\d+\z/
  raise ArgumentError, "too old, or a clock is wrong" if (Time.now.to_i - timestamp.to_i).abs > tolerance

  key = secret.delete_prefix("whsec_").unpack1("m0")
  digest = OpenSSL::HMAC.digest("SHA256", key, "#{id}.#{timestamp}.".b + body.b)
  expected = "v1," + [digest].pack("m0")
  # There are several while a secret is being rotated; one that fits is enough.
  signatures = headers["webhook-signature"].to_s.split(" ")
  unless signatures.any? { |each| OpenSSL.secure_compare(expected, each) }
    raise ArgumentError, "the signature does not match"
  end
  JSON.parse(body)
end
