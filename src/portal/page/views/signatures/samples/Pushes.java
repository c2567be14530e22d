import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.function.Function;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public final class Pushes {
  private static final long TOLERANCE_SECONDS = 300;

  /**
   * Throws SecurityException for everything that is no push. The body is the raw one: parsed and
   * written again it would have another signature. header is, for example, request::getHeader.
   */
  public static void verify(String secret, Function<String, String> header, byte[] body)
      throws GeneralSecurityException {
    String id = header.apply("webhook-id");
    String timestamp = header.apply("webhook-timestamp");
    String signatures = header.apply("webhook-signature");
    if (id == null || signatures == null || timestamp == null || !timestamp.matches("\\d{1,15}")) {
      throw new SecurityException("this is no push");
    }
    long age = Instant.now().getEpochSecond() - Long.parseLong(timestamp);
    if (Math.abs(age) > TOLERANCE_SECONDS) {
      throw new SecurityException("too old, or a clock is wrong");
    }
    byte[] key = Base64.getDecoder().decode(secret.replaceFirst("^whsec_", ""));
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
    String expected = "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
    // There are several while a secret is being rotated; one that fits is enough.
    for (String each : signatures.split(" ")) {
      if (MessageDigest.isEqual(expected.getBytes(), each.getBytes())) return;
    }
    throw new SecurityException("the signature does not match");
  }

  private Pushes() {}
}
