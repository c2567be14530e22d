/**
 * The platform's cryptography. All current runtimes have it; Node 18 only where it is told to, and
 * no fallback of ours would be as good: whoever runs that is told what to do.
 */
export function webCrypto(): typeof globalThis.crypto {
  // It is declared, and missing all the same.
  const found = globalThis.crypto as typeof globalThis.crypto | undefined;
  if (found?.subtle !== undefined) return found;
  throw new Error(
    "this runtime has no WebCrypto: start Node 18 with --experimental-global-webcrypto, or set " +
      "globalThis.crypto ??= require('node:crypto').webcrypto before the first call; pages need https",
  );
}
