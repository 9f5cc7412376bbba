/**
 * Draws the results of `deno task bench --json` as an SVG that follows the colour scheme of the reader: `deno run --allow-read --allow-write bench/chart.ts RESULTS.json CHART.svg [scenario…]`.
 *
 * @module
 */
import { baselineOf, costOf, type Outcome, type Results, type SubjectFigures } from "./figures.ts";

/** All lengths are in pixels. */
const WIDTH = 880;
const MARGIN = 24;
const GAP = 40;
const COLUMN = (WIDTH - 2 * MARGIN - GAP) / 2;
const NAME = 130;
const VALUE = 76;
const BAR = COLUMN - NAME - VALUE;
const ROW = 22;
const HEADING = 44;
const TITLE = 64;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 18px; font-weight: 600; }
  .scenario { font-weight: 600; }
  .quiet { fill: #59636e; font-size: 12px; }
  .value { font-variant-numeric: tabular-nums; }
  .paper { fill: #ffffff; }
  .bar { fill: #9aa4af; }
  .own { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .quiet { fill: #9198a1; }
    .paper { fill: #0d1117; }
    .bar { fill: #656c76; }
    .own { fill: #4493f8; }
  }
`;

/** Draws a chart: a block for each scenario, a bar for each subject. */
export function draw(results: Results): string {
  const { outcomes, nodes, bus, repeat } = results;
  let bottom = TITLE;
  const blocks: string[] = [];
  for (let i = 0; i < outcomes.length; i += 2) {
    const pair = outcomes.slice(i, i + 2);
    pair.forEach((outcome, column) =>
      blocks.push(block(outcome, MARGIN + column * (COLUMN + GAP), bottom))
    );
    bottom += Math.max(...pair.map(({ subjects }) => HEADING + subjects.length * ROW)) + 20;
  }
  const setting = `${nodes} ${nodes === 1 ? "node" : "nodes"}, ${bus}, medians of ${repeat}; ` +
    "shorter is better; each scenario has a scale of its own";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom}" role="img">`,
    `<title>What a delivered message costs</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${bottom}" rx="8"/>`,
    text(MARGIN, 32, "What a delivered message costs", "title"),
    text(MARGIN, 52, setting, "quiet"),
    ...blocks,
    "</svg>\n",
  ].join("\n");
}

function block(outcome: Outcome, x: number, y: number): string {
  const { scenario, title, subjects } = outcome;
  const most = Math.max(...subjects.map((subject) => costOf(subject) ?? 0));
  const own = baselineOf(outcome);
  return [
    text(x, y + 18, `${scenario}: ${title}`, "scenario"),
    text(x, y + 35, unitOf(outcome), "quiet"),
    ...subjects.map((subject, i) =>
      row(subject, { x, y: y + HEADING + i * ROW, most, own: subject === own, outcome })
    ),
  ].join("\n");
}

interface Place {
  readonly x: number;
  readonly y: number;
  /** The cost of a bar over the whole width. */
  readonly most: number;
  readonly own: boolean;
  readonly outcome: Outcome;
}

function row(subject: SubjectFigures, { x, y, most, own, outcome }: Place): string {
  const cost = costOf(subject) ?? 0;
  const width = most === 0 ? 0 : Math.max(cost / most * BAR, 1);
  const value = memoryOnly(outcome) ? cost / 1024 : cost;
  const bar = `<rect class="${own ? "own" : "bar"}" x="${x + NAME}" y="${y + 3}" ` +
    `width="${width.toFixed(1)}" height="${ROW - 7}" rx="2"/>`;
  const label = value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
  return [
    text(x, y + 15, subject.subject, own ? "scenario" : ""),
    bar,
    text(x + NAME + width + 8, y + 15, label, "value"),
  ].join("\n");
}

function unitOf(outcome: Outcome): string {
  return memoryOnly(outcome)
    ? `KiB of memory for each ${outcome.unit}`
    : `CPU µs of the nodes for each ${outcome.unit}`;
}

function memoryOnly({ subjects }: Outcome): boolean {
  return subjects.every(({ median }) => median.cpu === null);
}

function text(x: number, y: number, content: string, kind: string): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const place = `x="${x.toFixed(1)}" y="${y.toFixed(1)}"`;
  return kind === ""
    ? `<text ${place}>${escaped}</text>`
    : `<text class="${kind}" ${place}>${escaped}</text>`;
}

if (import.meta.main) {
  const [from, to, ...scenarios] = Deno.args;
  if (from === undefined || to === undefined) {
    throw new TypeError("Cannot draw: chart.ts RESULTS.json CHART.svg [scenario…]");
  }
  const results: Results = JSON.parse(await Deno.readTextFile(from));
  const outcomes = results.outcomes.filter(({ scenario }) =>
    scenarios.length === 0 || scenarios.includes(scenario)
  );
  await Deno.writeTextFile(to, draw({ ...results, outcomes }));
}
