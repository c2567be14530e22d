/** How far something is. Without a share nobody knows yet, and the bar says so by its name. */
export function Progress(props: { name: string; share: number | undefined; words?: string }) {
  const { name, share, words } = props;
  return share === undefined ? (
    <progress class="bar" aria-label={name} aria-valuetext={words} />
  ) : (
    <progress class="bar" aria-label={name} aria-valuetext={words} value={share} max={1} />
  );
}
