import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { resolveBackplaneOptions } from "../../../backplanes/driver/options.ts";
import { resolveListenOptions } from "../../../hub/listen/options.ts";
import { resolveOptions } from "../../../hub/options/server.ts";
import { resolveDrainOptions } from "../../../hub/options/serving.ts";
import { ROOT } from "../../kit/graph.ts";
import { readInterfaces } from "./interfaces.ts";
import { readRange, readTables } from "./tables.ts";

/** What checks and completes the numbers of an interface. */
type Resolve = (options: Record<string, number>) => Readonly<Record<string, unknown>>;

/** The heading of each table, the interface that it documents, and what checks its numbers. */
const TABLES: readonly (readonly [heading: string, type: string, resolve?: Resolve])[] = [
  ["createHubServer", "HubServerConfiguration", (options) => ({ ...resolveOptions(options) })],
  ["webSockets", "WebSocketOptions"],
  [
    "longPolling",
    "LongPollingOptions",
    (options) => ({ ...resolveOptions({ longPolling: options }).longPolling }),
  ],
  ["cors", "CorsOptions"],
  ["health", "HealthOptions"],
  ["defineHub", "HubDefinition"],
  ["drain", "DrainOptions", (options) => ({ ...resolveDrainOptions(options) })],
  [
    "listen",
    "ListenOptions",
    (options) => ({ ...resolveListenOptions(options, console) }),
  ],
  ["MemoryBackplane", "MemoryBackplaneOptions", resolveShared],
  ["BroadcastChannelBackplane", "BroadcastChannelBackplaneOptions", resolveShared],
  ["RedisBackplane", "RedisBackplaneOptions", resolveShared],
  ["RedisBackplane tls", "RedisTlsOptions"],
  ["NatsBackplane", "NatsBackplaneOptions", resolveShared],
  ["NatsBackplane tls", "NatsTlsOptions"],
];

/** Where the interfaces are. */
const FILES = [
  ...["server", "serving", "connection", "dispatch", "routing", "bus", "relay", "transports"].map((
    name,
  ) => `hub/options/${name}.ts`),
  ...["hub/server/configuration.ts", "hub/definition/hub.ts"],
  ...["hub/listen/options.ts", "backplanes/driver/options.ts"],
  ...[
    "backplanes/memory.ts",
    "backplanes/broadcast_channel/options.ts",
    "backplanes/nats/options.ts",
  ],
  ...["backplanes/redis.ts", "backplanes/redis/settings.ts"],
];

function resolveShared(options: Record<string, number>) {
  return { ...resolveBackplaneOptions(options) };
}

const page = await Deno.readTextFile(new URL("docs/configuration.md", ROOT));
const tables = readTables(page);
const interfaces = await readInterfaces(FILES);

Deno.test("docs/configuration.md has a table for each interface of options, and no other", () => {
  assertEquals([...tables.keys()].sort(), TABLES.map(([heading]) => heading).sort());
});

for (const [heading, type, resolve] of TABLES) {
  const rows = tables.get(heading) ?? [];
  const options = interfaces.get(type) ?? [];

  Deno.test(`docs/configuration.md lists exactly the options of ${type}`, () => {
    assert(options.length > 0, `the code has no interface ${type}`);
    assertEquals(rows.map(({ name }) => name).sort(), options.map(({ name }) => name).sort());
    const required = options.filter(({ optional }) => !optional).map(({ name }) => name).sort();
    const marked = rows.filter(({ fallback }) => fallback === "required").map(({ name }) => name);
    assertEquals(marked.sort(), required);
  });

  Deno.test(`docs/configuration.md gives the defaults that the docs of ${type} give`, () => {
    for (const { name, fallback } of options) {
      // A default that is a sentence has no value to compare.
      if (fallback === undefined || !/^(?:[\w.]+|""|\[\])$/.test(fallback)) continue;
      assertEquals(rows.find((row) => row.name === name)?.fallback, fallback, name);
    }
  });

  if (resolve === undefined) continue;
  Deno.test(`docs/configuration.md gives the numbers that ${type} takes`, () => {
    for (const { name, unit, fallback, range } of rows) {
      const numbers = readRange(range);
      assertEquals(
        unit !== "",
        numbers !== undefined,
        `${name} has a unit, or a range, but not both`,
      );
      if (numbers === undefined) continue;
      const [least, most] = numbers;
      assertEquals(String(resolve({})[name]), fallback, `default of ${name}`);
      for (const value of [least, most]) assertEquals(resolve({ [name]: value })[name], value);
      for (const value of [least - 1, most + 1, NaN]) {
        const error = assertThrows(() => resolve({ [name]: value }), RangeError);
        assertMatch(error.message, new RegExp(`\\b${name}\\b.*${value}.*${least} and ${most}`));
      }
    }
  });
}
