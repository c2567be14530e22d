/**
 * Values over time, as bars or lines. The picture is uPlot's, which draws on a canvas; all words
 * are ours: a sentence that sums it up, the values of the moment under the pointer (or under the
 * arrow keys), and a table of them all for whoever asks. Colours are tokens, in whatever theme.
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { Button } from "./button.tsx";
import "./chart.css";
import { optionsOf, plotted, type ChartKind, type ChartSeries } from "./plot.ts";
import { showExact } from "./time.tsx";

export type ChartProps = {
  /** Names it for those who do not see it, and captions its table. */
  title: string;
  /** What the picture says, in a sentence. */
  summary: string;
  kind: ChartKind;
  /** When each step begins, in milliseconds, the oldest first; and how long all of them are. */
  starts: readonly number[];
  stepMs: number;
  series: readonly ChartSeries[];
  show: (value: number) => string;
};

export function Chart(props: ChartProps) {
  const { title, summary, starts } = props;
  const [at, setAt] = useState<number>();
  const [isTable, setTable] = useState(false);
  // Newer data may have fewer steps than there were under the pointer.
  const index = at !== undefined && at < starts.length ? at : undefined;
  return (
    <figure class="chart">
      <figcaption>{summary}</figcaption>
      <Plot {...props} index={index} onIndex={setAt} />
      <div class="row apart">
        <Legend {...props} index={index} />
        <Button look="quiet" small onPress={() => setTable(!isTable)}>
          {isTable ? "Hide the table" : "Show as a table"}
        </Button>
      </div>
      {isTable && <ValueTable {...props} caption={title} />}
    </figure>
  );
}

type At = { index: number | undefined; onIndex: (index: number | undefined) => void };

/** The picture, which is read like a slider: each arrow key goes one step of time on. */
function Plot(props: ChartProps & At) {
  const { title, starts, series, stepMs, kind, show, index, onIndex } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const data = useMemo(() => plotted(kind, starts, stepMs, series), [kind, starts, stepMs, series]);
  const looks = series.map(({ name, color }) => `${name} ${color}`).join();
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const made = new uPlot(optionsOf({ element, kind, series, show, onIndex }), data, element);
    plot.current = made;
    const stop = followSurroundings(element, made);
    return () => {
      stop();
      made.destroy();
      element.replaceChildren();
    };
    // Newer values come by `setData` below.
  }, [kind, looks, show, onIndex]);
  useEffect(() => plot.current?.setData(data), [data]);

  const last = starts.length - 1;
  const go = (event: KeyboardEvent) => {
    const from = index ?? last + 1;
    const moves: Record<string, number> = {
      ...{ ArrowLeft: from - 1, ArrowDown: from - 1, ArrowRight: from + 1, ArrowUp: from + 1 },
      ...{ PageDown: from - 10, PageUp: from + 10, Home: 0, End: last },
    };
    const to = moves[event.key];
    if (to === undefined || plot.current === undefined || last < 0) return;
    event.preventDefault();
    const next = Math.min(last, Math.max(0, to));
    const left = plot.current.valToPos(data[0][next] ?? 0, "x");
    plot.current.setCursor({ left, top: 0 });
  };
  return (
    <div
      ref={place}
      class="plot"
      role="slider"
      tabIndex={0}
      aria-label={`${title}: the step of time whose values are told`}
      aria-valuemin={0}
      aria-valuemax={Math.max(0, last)}
      aria-valuenow={index ?? Math.max(0, last)}
      aria-valuetext={valueText(props, index ?? last)}
      onKeyDown={go}
      onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })}
    />
  );
}

/** Fits the picture to its place and to the theme until it is told to stop. */
function followSurroundings(element: HTMLElement, plot: uPlot): () => void {
  const size = new ResizeObserver(() => {
    plot.setSize({ width: element.clientWidth, height: plot.height });
  });
  size.observe(element);
  // With its paths, as their colours are looked up when they are made.
  const redraw = () => plot.redraw();
  const theme = new MutationObserver(redraw);
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", redraw);
  return () => {
    size.disconnect();
    theme.disconnect();
    system.removeEventListener("change", redraw);
  };
}

/** What the colours mean, and how much each is at the moment in question. */
function Legend({ kind, starts, stepMs, series, show, index }: ChartProps & Pick<At, "index">) {
  return (
    <div class="legend">
      {series.map(({ name, color, dash, values }) => (
        <span key={name}>
          <svg class="swatch" viewBox="0 0 18 10" aria-hidden="true">
            <line
              {...{ x1: 0, x2: 18, y1: 5, y2: 5 }}
              stroke={`var(${color})`}
              stroke-width={kind === "bars" ? 8 : 3}
              stroke-dasharray={dash?.join(" ")}
            />
          </svg>
          {name}
          {index !== undefined && <strong> {valueOf(values[index], show)}</strong>}
        </span>
      ))}
      {index !== undefined && <span class="moment">{stepText(starts[index] ?? 0, stepMs)}</span>}
    </div>
  );
}

function ValueTable({
  caption,
  starts,
  series,
  show,
}: Pick<ChartProps, "starts" | "series" | "show"> & { caption: string }) {
  return (
    <div class="chart-table" tabIndex={0} role="region" aria-label={`${caption}, as a table`}>
      <table>
        <caption class="spoken">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            {series.map(({ name }) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {starts.map((start, index) => (
            <tr key={start}>
              <th scope="row">{showExact(new Date(start).toISOString())}</th>
              {series.map(({ name, values }) => (
                <td key={name} class="number">
                  {valueOf(values[index], show)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function valueText({ starts, stepMs, series, show }: ChartProps, index: number): string {
  const start = starts[index];
  if (start === undefined) return "No values";
  const values = series.map(({ name, values }) => `${name} ${valueOf(values[index], show)}`);
  return `${stepText(start, stepMs)}: ${values.join(", ")}`;
}

function valueOf(value: number | null | undefined, show: (value: number) => string): string {
  return value === null || value === undefined ? "–" : show(value);
}

const moment = new Intl.DateTimeFormat(undefined, {
  ...{ month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" },
  timeZoneName: "short",
});

/** `Nov 28, 12:00 – 12:05 UTC`. */
function stepText(start: number, stepMs: number): string {
  return moment.formatRange(start, start + stepMs);
}
