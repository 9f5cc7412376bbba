/**
 * Who is compared.
 *
 * @module
 */
import type { BusName } from "../buses.ts";
import type { ChildOptions } from "../children.ts";
import type { DialectName } from "../load/job.ts";
import { installSocketIo, socketIoFolder } from "./packages.ts";

/** The protocols of hubs; the other contestants have one of their own. */
export type ProtocolName = "json" | "messagepack";

/** A contestant. */
export interface Contestant {
  /** As on the command line, and in tables. */
  readonly name: string;
  readonly dialect: DialectName;
  /** The buses it can use. */
  readonly buses: readonly BusName[];
  /** Makes ready what its nodes need. */
  prepare?(): Promise<void>;
  /**
   * How to start a node. `profile` is a folder for a CPU profile; `workers` is how many nodes there are
   * in the process, if they are workers.
   */
  start(bus: string | undefined, profile: string | undefined, workers?: number): ChildOptions;
}

/** Those that are compared when none are asked for. */
export const DEFAULT_CONTESTANTS: readonly string[] = [
  "hubplane",
  "by-hand",
  "by-hand-coalescing",
  "socket.io",
];

/** All contestants, for the usage. */
export const CONTESTANTS = `${DEFAULT_CONTESTANTS.join(", ")}
                      hubplane[-json|-messagepack][-parallel][-listen][=CHECKOUT]`;

/** How many invocations of one client run at a time with `-parallel`. */
const PARALLEL_INVOCATIONS = 64;

/**
 * The contestant of that name. `hubplane-messagepack` does not care for `protocol`;
 * `hubplane-parallel` lets clients have several invocations under way, not one as by default;
 * `hubplane-listen` serves with `listen()`; `hubplane=/path` is as in another checkout, to compare a
 * change with what was there before.
 *
 * @throws {TypeError} if there is none.
 */
export function contestant(name: string, protocol: ProtocolName): Contestant {
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
    throw new TypeError(`Cannot find contestant ${name}: there are ${CONTESTANTS}`);
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

interface Variant {
  readonly checkout: string | undefined;
  readonly args: readonly string[];
}

function hubplane(name: string, protocol: ProtocolName, { checkout, args }: Variant): Contestant {
  const program = (file: string) =>
    checkout === undefined ? pathOf(file) : `${checkout}/bench/contestants/${file}`;
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

function byHand(name: string, args: readonly string[]): Contestant {
  return {
    name,
    dialect: "by-hand",
    buses: ["memory", "redis", "nats"],
    start: (bus, profile) => denoNode(pathOf("by_hand_node.ts"), bus, profile, args),
  };
}

const socketIo: Contestant = {
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
