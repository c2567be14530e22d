/** What somebody can do about a push that failed, by the class that the API gives it. */
export function failureAdvice(failureClass: string, status: number | null): string {
  switch (failureClass) {
    case "dns":
      return "The host's name has no address: check the URL, and its DNS entry.";
    case "address":
      return "The gateway does not send to this address. Use one that can be reached from the internet, or ask your platform to allow it.";
    case "connect":
      return "Nobody takes connections there: check that the receiver runs, the port, and firewalls in between.";
    case "reset":
      return "The connection was cut before there was a whole response: look at the receiver's log, and at a proxy before it.";
    case "tls":
      return "Check the receiver's certificate: its chain, its names, and that it is still valid.";
    case "timeout":
      return "The receiver took too long. Accept the event first and do the work afterwards, or allow a longer time-out.";
    case "http":
      return status === null ? "The response was no valid HTTP." : statusAdvice(status);
    default:
      return "";
  }
}

function statusAdvice(status: number): string {
  if (status === 410) return "410 says that the endpoint is gone: of a real push, it disables it.";
  if (status === 401 || status === 403) {
    return "The receiver refused it: check the secret with which it verifies, and headers that it asks for.";
  }
  if (status === 404) return "The receiver has nothing at this path: check the URL.";
  if (status === 429) return "The receiver asks for fewer requests: set a rate for the endpoint.";
  if (status >= 300 && status < 400) {
    return "Redirects are not followed: use the URL that it leads to.";
  }
  if (status >= 500) return "The receiver failed: look at its log.";
  return "Only a status from 200 to 299 counts as accepted.";
}
