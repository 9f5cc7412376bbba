/**
 * Nodes in processes of their own send to a group with a member on each, while something goes wrong
 * with the bus; then the books are compared.
 *
 * @module
 */
import { delay } from "@std/async";
import type { HubServerOptions } from "../../../mod.ts";
import type { NodeReport, ReportedGap } from "./messages.ts";
import { NodeProcess } from "./node_process.ts";

/** What is tried. */
export interface Trial {
  /** The bus of each node. */
  readonly urls: readonly string[];
  /** How many messages each node sends in a second. */
  readonly rate: number;
  readonly options?: HubServerOptions;
  /** What goes wrong while the nodes send. */
  fault(nodes: readonly NodeProcess[]): Promise<void>;
}

/** What became of all messages, of every sender at every member. */
export interface Outcome {
  readonly sent: number;
  /** How many sends were rejected. */
  readonly rejected: number;
  /** Accepted, and not heard by a member. */
  readonly lost: number;
  readonly twice: number;
  readonly disordered: number;
  /** What the nodes have reported as missing, and how often. */
  readonly reported: number;
  readonly gaps: readonly ReportedGap[];
  /**
   * How long after the fault was over the bus of every node was open again, and how long after that the
   * last late message came, in milliseconds.
   */
  readonly opened: number;
  readonly settled: number;
  /** Of each node what it has lost, and what it has reported as missing. */
  readonly nodes: readonly { readonly lost: number; readonly reported: number }[];
  readonly reports: readonly NodeReport[];
}

/** For how long nodes send before and after a fault, in milliseconds. */
const QUIET = 500;
/** How long a bus may be away after a fault is over, in milliseconds: as long as messages wait for it. */
const LONGEST_OUTAGE = 15_000;
/** How long nothing may come when everything is back until what is missing is lost, in milliseconds. */
const PATIENCE = 10_000;
/** For how long nothing may change before it counts as all, where something is reported as lost. */
const STILL = 2500;

/** The options of all trials: the wait for the bus is longer than any fault. */
const OPTIONS: HubServerOptions = { outageTimeout: LONGEST_OUTAGE };

/** Runs a trial. */
export async function run({ urls, rate, options, fault }: Trial): Promise<Outcome> {
  await using stack = new AsyncDisposableStack();
  const starting = urls.map(async (url) =>
    stack.use(await NodeProcess.start(url, { ...OPTIONS, ...options }))
  );
  const nodes = await Promise.all(starting);
  await acquainted(nodes);
  await Promise.all(nodes.map((node) => node.tell({ kind: "send", rate })));
  await delay(QUIET);
  await fault(nodes);
  const over = Date.now();
  await delay(QUIET);
  await Promise.all(nodes.map((node) => node.tell({ kind: "stop" })));
  return await settled(nodes, over);
}

/** Resolves when every member has heard every node once, and every node knows all others. */
async function acquainted(nodes: readonly NodeProcess[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.tell({ kind: "send", rate: 20 })));
  await untilAll(
    nodes,
    (reports) => reports.every(({ heard }) => Object.keys(heard).length === nodes.length),
  );
  await Promise.all(nodes.map((node) => node.tell({ kind: "stop" })));
  await untilAll(nodes, (reports) => reports.every(isSettled));
}

/**
 * Asks all nodes until their reports fit, or until nothing has come for {@link PATIENCE} since their buses
 * are back; returns the last reports.
 */
async function untilAll(
  nodes: readonly NodeProcess[],
  fit: (reports: readonly NodeReport[]) => boolean,
): Promise<readonly NodeReport[]> {
  const begun = Date.now();
  for (;;) {
    const reports = await Promise.all(nodes.map((node) => node.report()));
    const open = reports.every(({ status }) => status === "open");
    const last = Math.max(
      begun,
      ...reports.flatMap(({ opened, lastHeard }) => [opened, lastHeard]),
    );
    if (fit(reports) || Date.now() - (open ? last : begun + LONGEST_OUTAGE) > PATIENCE) {
      return reports;
    }
    await delay(50);
  }
}

function isSettled({ status, pending }: NodeReport): boolean {
  return status === "open" && pending === 0;
}

/** Whether every accepted message is at the member of a node; a rejected one may be there. */
function isWhole({ heard }: NodeReport, reports: readonly NodeReport[]): boolean {
  return reports.every(({ name, sent, rejected }) => (heard[name] ?? 0) >= sent - rejected.length);
}

/** Resolves with the books when every node has all, or has reported a loss and heard nothing for long. */
async function settled(nodes: readonly NodeProcess[], over: number): Promise<Outcome> {
  const isOver = (report: NodeReport) => {
    const changed = Math.max(over + QUIET, report.opened, report.lastHeard);
    return reportedBy(report) > 0 && Date.now() - changed > STILL;
  };
  const reports = await untilAll(
    nodes,
    (reports) =>
      reports.every((report) => isSettled(report) && (isWhole(report, reports) || isOver(report))),
  );
  // A gap is reported a moment after the last repair.
  await delay(400);
  const last = await Promise.all(nodes.map((node) => node.report()));
  const sent = Object.fromEntries(last.map(({ name, sent }) => [name, sent]));
  const rejected = new Map(last.map(({ name, rejected }) => [name, new Set(rejected)]));
  const lost = await Promise.all(nodes.map(async (node) => {
    const missing = Object.entries(await node.missing(sent));
    return sumOf(
      missing,
      ([name, numbers]) => numbers.filter((number) => !rejected.get(name)?.has(number)).length,
    );
  }));
  const opened = Math.max(over, ...reports.map(({ opened }) => opened));
  return {
    sent: sumOf(last, ({ sent }) => sent),
    rejected: sumOf(last, ({ rejected }) => rejected.length),
    lost: sumOf(lost, (count) => count),
    twice: sumOf(last, ({ twice }) => twice),
    disordered: sumOf(last, ({ disordered }) => disordered),
    reported: sumOf(last, reportedBy),
    gaps: last.flatMap(({ gaps }) => gaps),
    opened: opened - over,
    settled: Math.max(0, ...reports.map(({ lastLate }) => lastLate - opened)),
    nodes: last.map((report, index) => ({
      lost: lost[index] ?? 0,
      reported: reportedBy(report),
    })),
    reports: last,
  };
}

function reportedBy({ gaps }: NodeReport): number {
  return sumOf(gaps, ({ missing = 0 }) => missing);
}

function sumOf<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((sum, item) => sum + count(item), 0);
}
