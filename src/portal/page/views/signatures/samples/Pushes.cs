using System;
using System.Linq;
using System.Security;
using System.Security.Cryptography;
using System.Text;

public static class Pushes
{
    private const long ToleranceSeconds = 300;

    /// Throws SecurityException for everything that is no push. The body is the raw one: parsed and
    /// written again it would have another signature. In ASP.NET Core, header is
    /// name => request.Headers[name].ToString()
    public static void Verify(string secret, Func<string, string> header, byte[] body)
    {
        var id = header("webhook-id");
        var timestamp = header("webhook-timestamp");
        if (string.IsNullOrEmpty(id) || !long.TryParse(timestamp, out var seconds))
            throw new SecurityException("this is no push");
        if (Math.Abs(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - seconds) > ToleranceSeconds)
            throw new SecurityException("too old, or a clock is wrong");

        var encoded = secret.StartsWith("whsec_") ? secret.Substring(6) : secret;
        using var hmac = new HMACSHA256(Convert.FromBase64String(encoded));
        var signed = Encoding.UTF8.GetBytes($"{id}.{timestamp}.").Concat(body).ToArray();
        var expected = "v1," + Convert.ToBase64String(hmac.ComputeHash(signed));
        // There are several while a secret is being rotated; one that fits is enough.
        var fits = (header("webhook-signature") ?? "").Split(' ').Any(each =>
            CryptographicOperations.FixedTimeEquals(
                Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(each)));
        if (!fits) throw new SecurityException("the signature does not match");
    }
}
