/** Shown only where nothing is known yet; later answers replace earlier ones without it. */
export function Loading() {
  return (
    <div class="loading" role="status">
      Loading …
    </div>
  );
}
