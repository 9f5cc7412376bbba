/**
 * The servers that are compared.
 *
 * @module
 */
import type { BusName } from "../buses.ts";
import type { ChildOptions } from "../children.ts";
import type { DialectName } from "../load/job.ts";
import { installSocketIo, socketIoFolder } from "./packages.ts";

/** The hub protocols; other subjects have a protocol of their own. */
export type ProtocolName = "json" | "messagepack";

/** A server that is measured. */
export interface Subject {
  /** The name on the command line and in tables. */
  readonly name: string;
  readonly dialect: DialectName;
  /** The buses it can use. */
  readonly buses: readonly BusName[];
  /** Installs the packages that its nodes need. */
  prepare?(): Promise<void>;
  /**
   * The command that starts a node. `profile` is a folder for a CPU profile; `workers` is the number of
   * nodes in the process, if nodes are workers.
   */
  start(bus: string | undefined, profile: string | undefined, workers?: number): ChildOptions;
}

/** The subjects if the command line names none. */
export const DEFAULT_SUBJECTS: readonly string[] = [
  "hubplane",
  "by-hand",
  "by-hand-coalescing",
  "socket.io",
];

/** All subjects, for `--help`. */
export const SUBJECTS = `${DEFAULT_SUBJECTS.join(", ")}
                      hubplane[-json|-messagepack][-parallel][-listen][=CHECKOUT]`;

/** The invocations of one client that run at the same time with `-parallel`. */
const PARALLEL_INVOCATIONS = 64;

/**
 * The subject of that name. `hubplane-messagepack` ignores `protocol`; `hubplane-parallel` runs several
 * invocations of a client at the same time, instead of one; `hubplane-listen` serves with `listen()`;
 * `hubplane=/path` runs the code of another checkout, to compare a change with the code before it.
 *
 * @throws {TypeError} if there is no such subject.
 */
export function subject(name: string, protocol: ProtocolName): Subject {
  switch (name) {
    case "by-hand":
      return byHand(name, []);
    case "by-hand-coalescing":
      return byHand(name, ["--coalescing"]);
    case "socket.io":
      return socketIo;
  }
  const match = /^hubplane(?:-(json|messagepack))?(-parallel)?(-listen)?(?:=(.+))?$/.exec(name);
  if (match === null) {
    throw new TypeError(`Cannot find subject ${name}: there are ${SUBJECTS}`);
  }
  const [, own, parallel, listen, checkout] = match;
  return hubplane(name, own === undefined ? protocol : own as ProtocolName, {
    checkout,
    args: [
      ...parallel === undefined ? [] : [`--parallel=${PARALLEL_INVOCATIONS}`],
      ...listen === undefined ? [] : ["--listen"],
    ],
  });
}

interface HubplaneVariant {
  readonly checkout: string | undefined;
  readonly args: readonly string[];
}

function hubplane(
  name: string,
  protocol: ProtocolName,
  { checkout, args }: HubplaneVariant,
): Subject {
  const program = (file: string) =>
    checkout === undefined ? pathOf(file) : `${checkout}/bench/${programFolder(checkout)}/${file}`;
  return {
    name,
    dialect: `signalr-${protocol}`,
    buses: ["memory", "broadcast", "redis", "nats"],
    start: (bus, profile, workers) =>
      workers === undefined
        ? denoNode(program("hubplane_node.ts"), bus, profile, args)
        : denoNode(program("hubplane_workers.ts"), bus, profile, [...args, `--workers=${workers}`]),
  };
}

/** The folder with the nodes of a checkout; it has another name in older checkouts. */
function programFolder(checkout: string): string {
  try {
    Deno.statSync(`${checkout}/bench/subjects`);
    return "subjects";
  } catch {
    return "contestants";
  }
}

function byHand(name: string, args: readonly string[]): Subject {
  return {
    name,
    dialect: "by-hand",
    buses: ["memory", "redis", "nats"],
    start: (bus, profile) => denoNode(pathOf("by_hand_node.ts"), bus, profile, args),
  };
}

const socketIo: Subject = {
  name: "socket.io",
  dialect: "socket.io",
  // There is no adapter for NATS.
  buses: ["memory", "redis"],
  prepare: installSocketIo,
  start: (bus, profile) => ({
    command: "node",
    args: [
      ...profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`],
      pathOf("socketio_node.mjs"),
      `--packages=${socketIoFolder}`,
      ...busArgument(bus),
    ],
  }),
};

function denoNode(
  program: string,
  bus: string | undefined,
  profile: string | undefined,
  args: readonly string[] = [],
): ChildOptions {
  return {
    command: Deno.execPath(),
    args: [
      // Workers load their program from a file.
      ...["run", "--no-prompt", "--allow-net", "--allow-env", "--allow-read"],
      ...profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`],
      program,
      ...busArgument(bus),
      ...args,
    ],
  };
}

function busArgument(bus: string | undefined): string[] {
  return bus === undefined ? [] : [`--bus=${bus}`];
}

function pathOf(file: string): string {
  return new URL(file, import.meta.url).pathname;
}
