import { parseArgs } from "node:util";
import type { BusName } from "./buses.ts";
import {
  DEFAULT_SUBJECTS,
  type ProtocolName,
  type Subject,
  subject,
  SUBJECTS,
} from "./subjects/subject.ts";
import { DEFAULT_SCENARIOS, type Scenario, SCENARIOS } from "./scenarios.ts";

/** The options of the command line. */
export interface Options {
  readonly scenarios: readonly Scenario[];
  readonly subjects: readonly Subject[];
  readonly bus: BusName;
  readonly protocol: ProtocolName;
  readonly repeat: number;
  readonly nodes: number;
  readonly connections: number | undefined;
  /** The number of rooms of ten; `undefined`: as the scenario needs. */
  readonly rooms: number | undefined;
  /** The number of connections that send messages; `undefined`: one on each node. */
  readonly senders: number | undefined;
  readonly payloadBytes: number;
  /** Milliseconds. */
  readonly warmup: number;
  readonly window: number;
  readonly json: boolean;
  /** Whether the nodes run on one core, and the bus and the load on another. */
  readonly pin: boolean;
  /** The folder for CPU profiles of the nodes. */
  readonly profile: string | undefined;
  /** The option to compare, with its values: `connections=100,1000`. */
  readonly vary: string | undefined;
}

/** The options that `--vary` accepts. */
const VARIABLE = [
  "connections",
  "rooms",
  "senders",
  "payload",
  "nodes",
  "bus",
  "protocol",
] as const;

/** One value of the option that is varied. */
export interface Variation {
  /** For example `100 connections`; empty if nothing is varied. */
  readonly label: string;
  readonly options: Options;
}

/** The text of `--help`. */
export const USAGE = `deno task bench [scenario…] [option…]

Measures Hubplane beside others, in interleaved runs. Needs Linux, redis-server or nats-server, and node with npm.

Scenarios:
${SCENARIOS.map(({ name, title }) => `  ${name.padEnd(9)} ${title}`).join("\n")}

  canary    how long a healthy client waits while others do their worst; see README.md

Options:
  --subjects A,B      ${SUBJECTS}
                      (${DEFAULT_SUBJECTS.join(",")})
  --bus NAME          redis, nats, memory: one node, or broadcast: nodes are workers of one
                      process, only Hubplane (redis)
  --protocol NAME     protocol of Hubplane: json or messagepack; other subjects have their own (json)
  --repeat N          runs of each subject (5)
  --window SECONDS    measured time of each run (3; twice that for low rates, 600 for a soak)
  --warmup SECONDS    time before the measured time (2; 60 for a soak)
  --nodes N           nodes of each subject (2; 1 with memory)
  --connections N     connections (1000, unless the scenario says otherwise)
  --rooms N           rooms of 10, filled first (a tenth of the connections where messages go
                      to rooms, else none)
  --senders N         connections that send messages (one on each node)
  --payload BYTES     the size of a message (128)
  --vary OPTION=A,B   compare values of one option; subject: hubplane, unless --subjects is given:
                      ${VARIABLE.join(", ")}
  --pin               nodes on one core, the bus and the load on another
  --profile FOLDER    write CPU profiles of the nodes
  --json              print JSON, for a machine or for bench/chart.ts
`;

/**
 * Reads the command line.
 *
 * @throws {TypeError} if a name or value is unknown.
 * @throws {RangeError} if a number is out of range.
 */
export function readVariations(args: string[]): readonly Variation[] | "help" {
  const options = readOptions(args);
  if (options === "help") return options;
  if (options.vary === undefined) return [{ label: "", options }];
  const [name = "", list = ""] = options.vary.split("=");
  oneOf("vary", name, VARIABLE);
  for (const scenario of options.scenarios) {
    if (!ignores(scenario, name)) continue;
    throw new TypeError(`Cannot vary ${name}: ${scenario.name} does not depend on it`);
  }
  return list.split(",").map((value) => {
    // If an option is given twice, the last value counts.
    const varied = readOptions([...args, `--${name}`, value]) as Options;
    const label = Number.isNaN(Number(value)) ? value : `${value} ${name}`;
    return { label, options: varied };
  });
}

function readOptions(args: string[]): Options | "help" {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      help: { ...flag, short: "h" },
      subjects: text,
      // The former name of `--subjects`.
      contestants: text,
      bus: { ...text, default: "redis" },
      protocol: { ...text, default: "json" },
      ...{ repeat: text, window: text, warmup: text, nodes: text },
      ...{
        connections: text,
        rooms: text,
        senders: text,
        payload: text,
        profile: text,
        vary: text,
      },
      ...{ json: flag, pin: flag },
    },
  });
  if (values.help) return "help";
  const bus = oneOf("bus", values.bus, ["memory", "broadcast", "redis", "nats"]);
  const protocol = oneOf("protocol", values.protocol, ["json", "messagepack"]);
  const scenarios = scenariosOf(positionals);
  const soaking = scenarios.every(({ load }) => load.kind === "soak");
  return {
    scenarios,
    subjects: (values.subjects ?? values.contestants ?? defaultSubjects(values.vary)).split(",")
      .map((name) => subject(name, protocol))
      .filter(({ buses }) => buses.includes(bus)),
    bus,
    protocol,
    repeat: number("repeat", values.repeat) ?? (soaking ? 1 : 5),
    nodes: bus === "memory" ? 1 : number("nodes", values.nodes) ?? 2,
    connections: number("connections", values.connections),
    rooms: number("rooms", values.rooms),
    senders: number("senders", values.senders),
    payloadBytes: number("payload", values.payload, 10) ?? 128,
    warmup: 1000 * (number("warmup", values.warmup, 0) ?? (soaking ? 60 : 2)),
    window: 1000 * (number("window", values.window, 0.1) ?? (soaking ? 600 : 3)),
    json: values.json,
    pin: values.pin,
    profile: values.profile,
    vary: values.vary,
  };
}

function ignores({ exactConnections, load }: Scenario, option: string): boolean {
  if (option === "connections") return exactConnections !== undefined;
  return option === "rooms" && load.kind === "connect";
}

/** An option is varied for Hubplane alone, unless subjects are named. */
function defaultSubjects(vary: string | undefined): string {
  return vary === undefined ? DEFAULT_SUBJECTS.join(",") : "hubplane";
}

function scenariosOf(names: readonly string[]): Scenario[] {
  const asked = names.length === 0 ? DEFAULT_SCENARIOS : names;
  return asked.map((name) => {
    const found = SCENARIOS.find((scenario) => scenario.name === name);
    if (found !== undefined) return found;
    const known = SCENARIOS.map((scenario) => scenario.name).join(", ");
    throw new TypeError(`Cannot find scenario ${name}: there are ${known}`);
  });
}

function oneOf<const T extends string>(name: string, value: string, known: readonly T[]): T {
  const found = known.find((word) => word === value);
  if (found !== undefined) return found;
  throw new TypeError(`Cannot use --${name} ${value}: it is one of ${known.join(", ")}`);
}

function number(name: string, value: string | undefined, least = 1): number | undefined {
  if (value === undefined) return undefined;
  if (Number(value) >= least) return Number(value);
  throw new RangeError(`Cannot use --${name} ${value}: it is at least ${least}`);
}
