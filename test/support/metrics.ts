/** Reads the text format of Prometheus, as much of it as we write. */

export type Samples = ReadonlyMap<string, number>;

/** Name with labels, as it is written: `name{a="b"}` → value. Throws on anything else. */
export function readMetrics(text: string): Samples {
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const match = /^([a-z_:][a-z0-9_:]*(?:\{[^}]*\})?) (\S+)$/i.exec(line);
    if (match?.[1] === undefined) throw new Error(`no sample: ${line}`);
    if (samples.has(match[1])) throw new Error(`given twice: ${match[1]}`);
    samples.set(match[1], match[2] === "Nan" ? NaN : Number(match[2]));
  }
  return samples;
}
