import {
  baselineOf,
  costOf,
  type Figures,
  type Outcome,
  type Results,
  type SubjectFigures,
} from "./figures.ts";

/** The share of a core from which on the load may have been the bottleneck. */
const BUSY = 0.9;

interface Column {
  readonly head: readonly [string, string];
  readonly cell: (subject: SubjectFigures) => string;
}

/** The table of a scenario. */
export function tableOf(outcome: Outcome, results: Omit<Results, "outcomes">): string {
  const bus = results.varied === "bus" ? "bus" : results.bus;
  const columns = columnsOf(outcome, bus).filter(({ cell }) =>
    outcome.subjects.some((subject) => cell(subject) !== "")
  );
  const rows = [
    columns.map(({ head }) => head[0]),
    columns.map(({ head }) => head[1]),
    ...outcome.subjects.map((subject) => columns.map(({ cell }) => cell(subject))),
  ];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const lines = rows.map((row) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))
      .join("  ").trimEnd()
  );
  const { scenario, title } = outcome;
  const setting = settingOf(outcome, results);
  return [`${scenario}: ${title}`, setting, "", ...lines, ...warnings(outcome), ""].join("\n");
}

/** The line that says how the figures were measured. */
function settingOf(
  { connections, seconds }: Outcome,
  { bus, protocol, nodes, repeat, payloadBytes, varied }: Omit<Results, "outcomes">,
): string {
  const parts = {
    bus,
    protocol,
    payload: `${payloadBytes} B`,
    connections: `${connections || "no"} connections`,
    nodes: `${nodes} ${nodes === 1 ? "node" : "nodes"}`,
  };
  // The number of nodes depends on the bus.
  const fixed = Object.entries(parts).filter(([option]) =>
    option !== varied && !(varied === "bus" && option === "nodes")
  );
  return [...fixed.map(([, text]) => text), `${repeat} × ${seconds} s`].join(", ");
}

function columnsOf(outcome: Outcome, bus: string): Column[] {
  const { unit } = outcome;
  const baseline = baselineOf(outcome);
  const of = (read: (figures: Figures) => string) => ({ median }: SubjectFigures) => read(median);
  return [
    { head: ["", ""], cell: ({ subject }) => subject },
    { head: ["CPU µs", `/${unit}`], cell: of(({ cpu }) => decimal(cpu)) },
    {
      head: ["of it", "in user mode"],
      cell: of(({ userShare: share }) => share === null ? "" : `${Math.round(share * 100)} %`),
    },
    {
      head: [baseline?.subject ?? "", "÷ it"],
      cell: (subject) => decimal(ratio(baseline, subject)),
    },
    { head: [`${unit}s`, "/second"], cell: of(({ perSecond }) => whole(perSecond)) },
    { head: ["local µs", "p50"], cell: of(({ local }) => whole(local.p50)) },
    { head: ["", "p99"], cell: of(({ local }) => whole(local.p99)) },
    { head: ["remote µs", "p50"], cell: of(({ remote }) => whole(remote.p50)) },
    { head: ["", "p99"], cell: of(({ remote }) => whole(remote.p99)) },
    { head: [`${bus} µs`, `/${unit}`], cell: of(({ busCpu }) => decimal(busCpu || null)) },
    {
      head: ["KiB", "/connection"],
      cell: of(({ bytesPerConnection: bytes }) => decimal(bytes === null ? null : bytes / 1024, 1)),
    },
    {
      head: ["grows by", "KiB/minute"],
      cell: of(({ slope }) => whole(slope === null ? null : slope * 60 / 1024)),
    },
    { head: ["load", "CPU"], cell: of(({ loadShare }) => `${Math.round(loadShare * 100)} %`) },
  ];
}

/** The cost of Hubplane divided by the cost of another subject. */
export function ratio(baseline: SubjectFigures | undefined, other: SubjectFigures): number | null {
  const [own, its] = [baseline === undefined ? null : costOf(baseline), costOf(other)];
  return own === null || its === null || its === 0 ? null : own / its;
}

function warnings({ subjects }: Outcome): string[] {
  return subjects.filter(({ median }) => median.loadShare > BUSY).map(({ subject }) =>
    `The load was busy all the time: ${subject} could have delivered more.`
  );
}

function decimal(value: number | null, digits = 2): string {
  return value === null ? "" : value.toFixed(value >= 100 ? 0 : digits);
}

function whole(value: number | null): string {
  return value === null ? "" : Math.round(value).toLocaleString("en");
}
