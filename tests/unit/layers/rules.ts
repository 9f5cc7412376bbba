/**
 * Who may import whom. `CONTRIBUTING.md` draws the same.
 *
 * @module
 */
import type { Arrow } from "../../kit/graph.ts";

/** The room of a file: the first pattern that matches. */
const ROOMS: readonly (readonly [room: string, pattern: RegExp])[] = [
  ["mod", /^mod\.ts$/],
  ["contract", /^backplanes\/(?:backplane|errors)\.ts$/],
  ["open", /^backplanes\/open\.ts$/],
  ["silence", /^backplanes\/driver\/silence\.ts$/],
  ["driver", /^backplanes\/driver\//],
  ["memory", /^backplanes\/memory(?:\.ts$|\/)/],
  ["broadcast", /^backplanes\/broadcast_channel(?:\.ts$|\/)/],
  ["redis", /^backplanes\/redis(?:\.ts$|\/)/],
  ["nats", /^backplanes\/nats(?:\.ts$|\/)/],
  ["several", /^backplanes\/several(?:\.ts$|\/)/],
  ["conformance", /^backplanes\/conformance(?:\.ts$|\/)/],
  ["clock", /^hub\/clock\.ts$/],
  ["errors", /^hub\/definition\/errors\.ts$/],
  ["error texts", /^hub\/connection\/error_texts\.ts$/],
  ["server", /^hub\/server(?:\.ts$|\/)/],
  ["definition", /^hub\/definition\//],
  ["options", /^hub\/options\/server\.ts$/],
  ["range", /^hub\/options\/range\.ts$/],
  ["known names", /^hub\/options\/known\.ts$/],
  ["option slices", /^hub\/options\//],
  ["serving", /^hub\/serving\//],
  ["listen", /^hub\/listen\//],
  ["transports", /^hub\/transports\//],
  ["relay", /^hub\/relay\//],
  ["moves", /^hub\/moves\//],
  ["connection", /^hub\/connection\//],
  ["dispatch", /^hub\/dispatch\//],
  ["routing", /^hub\/routing\//],
  ["cluster", /^hub\/cluster\//],
  ["bus", /^hub\/bus\//],
  ["scheduling", /^hub\/scheduling\//],
  ["protocol", /^hub\/protocol\//],
  ["examples", /^(?:examples|bench)\//],
  ["tests", /^tests\//],
];

/**
 * The targets that a room may import: a room, a file or a package; after `types of `, its types only.
 * Every room may also import its own slice of the options, `hub/options/ROOM.ts`, and no other slice.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  mod: [
    ...["contract", "open", "memory"],
    ...["definition", "errors", "types of options", "types of option slices", "server"],
    ...["types of bus", "types of cluster", "types of serving"],
  ],
  contract: [],
  // The only part of the hub that drivers share: it refuses misspelt options.
  driver: ["contract", "node:timers", "known names"],
  memory: ["contract", "driver"],
  broadcast: ["contract", "driver", "silence", "node:timers"],
  redis: ["contract", "driver", "npm:ioredis", "node:buffer", "node:timers"],
  nats: [
    ...["contract", "driver", "npm:nats"],
    ...["node:buffer", "node:net", "node:tls", "node:timers"],
  ],
  // It is given backplanes of any driver.
  several: ["contract", "driver"],
  conformance: ["contract", "driver"],
  // The only file that knows all drivers; it loads the driver that a URL names.
  open: [
    ...["contract", "known names"],
    ...["memory", "broadcast", "redis", "nats", "several"].flatMap(lazily),
  ],
  clock: ["node:timers"],
  definition: ["errors", "known names"],
  errors: [],
  "error texts": ["errors"],
  range: [],
  "known names": [],
  "option slices": ["range", "known names", "types of hub/definition/logger.ts"],
  options: ["range", "known names", "option slices"],
  scheduling: ["clock", "errors", "types of hub/definition/logger.ts", "node:timers"],
  // A Buffer reads text many times faster than a TextDecoder.
  protocol: ["node:buffer"],
  silence: [],
  // The other nodes. A BroadcastChannel listens for silence too.
  cluster: ["bus", "clock", "scheduling", "silence"],
  // The only room of the hub that imports the contract of backplanes.
  bus: ["contract", "clock", "protocol", "scheduling", "types of hub/definition/logger.ts"],
  routing: ["definition", "errors", "clock", "protocol", "scheduling", "bus"],
  connection: ["errors", "error texts", "clock", "protocol", "scheduling"],
  dispatch: [
    ...["definition", "errors", "error texts", "clock", "protocol", "scheduling", "connection"],
    "types of routing",
  ],
  // A token is verified with synchronous hashes, which are faster than those of `crypto.subtle`.
  relay: [
    ...["types of bus", "hub/bus/relay_messages.ts", "types of clock", "scheduling"],
    ...["node:buffer", "node:crypto"],
  ],
  // A connection as a value.
  moves: ["protocol", "hub/bus/move_messages.ts", "types of bus", "types of connection"],
  // To transports a connection is a pipe of bytes; of protocols they know only what a frame is.
  transports: [
    ...[
      "connection",
      "relay",
      "scheduling",
      "node:buffer",
      "clock",
      "types of hub/definition/logger.ts",
    ],
    "hub/protocol/frame.ts",
  ],
  // In front of the transports, as the platform's own server is.
  listen: [
    ...[
      "hub/transports/acceptor.ts",
      "types of connection",
      "npm:ws",
      "scheduling",
      "range",
      "known names",
    ],
    "types of hub/definition/logger.ts",
    "types of hub/protocol/frame.ts",
    ...["http", "https", "net", "crypto", "stream", "buffer", "timers"].map((name) =>
      `node:${name}`
    ),
  ],
  serving: [
    ...["definition", "types of options", "errors", "error texts", "clock"],
    ...["connection", "dispatch", "routing", "bus", "protocol", "scheduling"],
    ...["transports", "moves"],
  ],
  server: [
    "definition",
    "options",
    "known names",
    "option slices",
    "clock",
    "serving",
    "transports",
    "relay",
    "scheduling",
    "cluster",
    "types of bus",
  ],
};

function lazily(room: string): string[] {
  return [`types of ${room}`, `import() of ${room}`];
}

/** The room of a file of the project; a package is its own. */
export function roomOf(file: string): string | undefined {
  if (/^(?:npm|node|jsr):/.test(file)) return file;
  return ROOMS.find(([, pattern]) => pattern.test(file))?.[0];
}

/**
 * What is wrong with an arrow, or `undefined` if it points the right way. `entryPoints` are the files
 * that `deno.json` exports.
 */
export function objection(
  { from, to, kind }: Arrow,
  entryPoints: readonly string[],
): string | undefined {
  const [source, target] = [roomOf(from), roomOf(to)];
  if (source === undefined) return `${from} is in no room: add it to the rules`;
  if (target === undefined) return `${from} → ${to}: the target is in no room`;
  if (source === target || source === "tests" || to === `hub/options/${source}.ts`) {
    return undefined;
  }
  if (source === "examples") return exampleObjection(from, to, target, entryPoints);
  const allowed = ALLOWED[source] ?? [];
  const names = [target, to];
  if (kind === "types") names.push(`types of ${target}`, `types of ${to}`);
  if (kind === "dynamic") names.push(`import() of ${target}`);
  if (allowed.some((name) => names.includes(name))) return undefined;
  const what = kind === "types" ? "types" : kind === "dynamic" ? "import()" : "import";
  return `${from} → ${to} (${what}): "${source}" may import only ${
    allowed.length === 0 ? "nothing" : allowed.join(", ")
  }`;
}

function exampleObjection(
  from: string,
  to: string,
  target: string,
  entryPoints: readonly string[],
): string | undefined {
  if (/^(?:npm|node|jsr):/.test(target) || entryPoints.includes(to)) return undefined;
  // The canary watches the attacks of the hostile tests.
  if (from === "bench/canary.ts" && to.startsWith("tests/farm/hostile/")) return undefined;
  return `${from} → ${to}: examples and benchmarks import only the public entry points`;
}
