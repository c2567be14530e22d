/** How uPlot is asked to draw a chart; chart.tsx has the words around it. */
import uPlot from "uplot";
import { lonely } from "./lonely.ts";

export type ChartKind = "bars" | "lines";

export type ChartSeries = {
  readonly name: string;
  /** A token of styles/tokens.css: `--accent`. */
  readonly color: `--${string}`;
  /** Of lines, which are told apart by more than their colours. */
  readonly dash?: readonly number[];
  /** One for each step; null where there is none. */
  readonly values: readonly (number | null)[];
};

const heightPx = 190;

/** Room for `100 ms` and `99.9K`. */
const axisWidthPx = 58;

/** Ticks are whole: nobody delivers half an event, and latencies are whole milliseconds. */
const wholeSteps = Array.from({ length: 12 }, (_, digits) =>
  [1, 2, 5].map((first) => first * 10 ** digits),
).flat();

/**
 * A step stands at its middle, so that the pointer finds the nearest one. Bars are stacked: each
 * series is drawn from the ground up to its own value and all that follow it, the first and
 * highest one first, and the next ones before it.
 */
export function plotted(
  kind: ChartKind,
  starts: readonly number[],
  stepMs: number,
  series: readonly ChartSeries[],
): uPlot.AlignedData {
  const middles = starts.map((start) => (start + stepMs / 2) / 1_000);
  const drawn = series.map(({ values }, at) =>
    kind === "lines" ? [...values] : values.map((_, step) => sumAt(series.slice(at), step)),
  );
  return [middles, ...drawn];
}

function sumAt(series: readonly ChartSeries[], step: number): number {
  return series.reduce((sum, { values }) => sum + (values[step] ?? 0), 0);
}

export function optionsOf(chart: {
  element: HTMLElement;
  kind: ChartKind;
  series: readonly ChartSeries[];
  show: (value: number) => string;
  onIndex: (index: number | undefined) => void;
}): uPlot.Options {
  const { element, kind, series, show, onIndex } = chart;
  const colorOf = createColors(element);
  return {
    width: element.clientWidth,
    height: heightPx,
    padding: [8, 34, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { show: kind === "lines" },
      // Charts of one page that show the same time point at the same moment.
      sync: { key: "charts" },
    },
    scales: {
      x: { range: wholeWidth },
      y: { range: (_, __, most) => [0, Math.max(1, (most ?? 0) * 1.1)] },
    },
    axes: axesOf(colorOf, show),
    series: [{}, ...series.map((each) => (kind === "bars" ? barsOf(each) : lineOf(each)))],
    hooks: { setCursor: [({ cursor }) => onIndex(cursor.idx ?? undefined)] },
  };

  function barsOf({ color }: ChartSeries): uPlot.Series {
    const paths = uPlot.paths.bars?.({ size: [0.8, 48], radius: 0 });
    return {
      fill: () => colorOf(color),
      width: 0,
      points: { show: false },
      ...(paths && { paths }),
    };
  }

  function lineOf({ color, dash }: ChartSeries): uPlot.Series {
    // Points for the values that stand alone; more would hide the lines.
    return {
      stroke: () => colorOf(color),
      width: 2,
      points: { size: 4, filter: (plot, at) => lonely(plot.data[at] ?? []) },
      ...(dash && { dash: [...dash] }),
    };
  }
}

/** Half a step of room on both sides: the first and the last one are drawn whole. */
function wholeWidth(plot: uPlot): uPlot.Range.MinMax {
  const middles = plot.data[0];
  const [first = 0, second = first + 60] = middles;
  const half = (second - first) / 2;
  return [first - half, (middles.at(-1) ?? first) + half];
}

function axesOf(colorOf: ColorOf, show: (value: number) => string): uPlot.Axis[] {
  const shared = {
    stroke: () => colorOf("--text-soft"),
    font: `12px ${getComputedStyle(document.body).fontFamily}`,
    grid: { stroke: () => colorOf("--line"), width: 1 },
    ticks: { show: false },
  };
  return [
    {
      ...shared,
      grid: { show: false },
      ...{ size: 36, gap: 10 },
      space: 72,
      values: (_, moments, __, ___, apart) => moments.map((moment) => tickText(moment, apart)),
    },
    {
      ...shared,
      size: axisWidthPx,
      incrs: wholeSteps,
      values: (_, values) => values.map((value) => show(value)),
    },
  ];
}

const dayText = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const timeText = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** The day, where the ticks are days apart or one stands at its beginning. */
function tickText(seconds: number, apartSeconds: number): string {
  const moment = new Date(seconds * 1_000);
  const isMidnight = moment.getHours() === 0 && moment.getMinutes() === 0;
  return (apartSeconds >= 86_400 || isMidnight ? dayText : timeText).format(moment);
}

type ColorOf = (token: string) => string;

/**
 * What a token is in the theme of the moment. A canvas understands no `var()`, and the text of a
 * custom property is no colour yet, as both themes stand in it; so an element has to wear it.
 */
function createColors(parent: HTMLElement): ColorOf {
  const probe = document.createElement("span");
  probe.hidden = true;
  parent.append(probe);
  return (token) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
}
