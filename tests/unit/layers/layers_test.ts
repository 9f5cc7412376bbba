import { assert, assertEquals } from "@std/assert";
import configuration from "../../../deno.json" with { type: "json" };
import { type Arrow, filesIn, readArrows, ROOT } from "../../kit/graph.ts";
import { circlesOf } from "./circles.ts";
import { objection, roomOf } from "./rules.ts";

/** Every file of the library, from the project's root. */
async function publishedFiles(): Promise<string[]> {
  return ["mod.ts", ...await filesIn("hub"), ...await filesIn("backplanes")];
}

const ENTRY_POINTS = Object.values(configuration.exports).map((path) => path.replace("./", ""));

Deno.test("every import points the way that the layers allow", async () => {
  const folders = await Promise.all(["hub", "backplanes", "examples", "bench"].map(filesIn));
  const files = ["mod.ts", ...folders.flat()];
  const arrows = await readArrows(files);
  assert(arrows.length > files.length, `only ${arrows.length} imports were found`);
  const wrong = arrows.map((arrow) => objection(arrow, ENTRY_POINTS)).filter(Boolean);
  assertEquals(wrong, [], `Imports that point the wrong way:\n${wrong.join("\n")}`);
  assertEquals(files.filter((file) => roomOf(file) === undefined), [], "files in no room");
});

Deno.test("imports close no circle, within rooms either, types included", async () => {
  const arrows = await readArrows(await publishedFiles());
  const circles = circlesOf(arrows);
  assertEquals(circles, [], `Circles of imports:\n${circles.join("\n")}`);
});

Deno.test("circlesOf() names each circle, and no file that only leads to one", () => {
  const arrow = (from: string, to: string, kind: Arrow["kind"] = "code"): Arrow => ({
    from,
    to,
    kind,
  });
  const circle = [arrow("a", "b"), arrow("b", "c", "types"), arrow("c", "a", "dynamic")];
  const straight = [arrow("start", "a"), arrow("c", "end"), arrow("start", "end")];
  assertEquals(circlesOf([...circle, ...straight]), ["a → b → c → a"]);
  assertEquals(circlesOf([...circle, arrow("b", "a"), arrow("self", "self")]), [
    "a → b → a",
    "c → a → b → c",
    "self → self",
  ]);
  assertEquals(circlesOf(straight), []);
});

Deno.test("no file of the library has more than 250 lines", async () => {
  const long: string[] = [];
  for (const file of await publishedFiles()) {
    const text = await Deno.readTextFile(new URL(file, ROOT));
    const lines = text.split("\n").length - 1;
    if (lines > 250) long.push(`${file}: ${lines}`);
  }
  assertEquals(long, []);
});

Deno.test("hub/ and backplanes/ have no loose files but the ones that name their rooms", async () => {
  const loose = (await publishedFiles()).filter((file) => file.split("/").length === 2);
  const drivers = ["memory", "broadcast_channel", "redis", "nats", "several", "conformance"];
  assertEquals(loose, [
    "hub/clock.ts",
    "hub/server.ts",
    ...["backplane", "errors", "open", ...drivers].map((name) => `backplanes/${name}.ts`).sort(),
  ]);
});

const WRONG: readonly [Arrow, string][] = [
  [
    { from: "hub/routing/router.ts", to: "hub/server.ts", kind: "code" },
    'hub/routing/router.ts → hub/server.ts (import): "routing" may import only ',
  ],
  [
    { from: "backplanes/redis.ts", to: "backplanes/nats/subject.ts", kind: "code" },
    'backplanes/redis.ts → backplanes/nats/subject.ts (import): "redis" may import only ',
  ],
  [
    { from: "hub/definition/clients.ts", to: "hub/routing/router.ts", kind: "code" },
    'hub/definition/clients.ts → hub/routing/router.ts (import): "definition" may import only ',
  ],
  [
    { from: "hub/transports/websocket.ts", to: "hub/protocol/messages.ts", kind: "types" },
    'hub/transports/websocket.ts → hub/protocol/messages.ts (types): "transports" may import only ',
  ],
  [
    { from: "backplanes/open.ts", to: "backplanes/redis.ts", kind: "code" },
    'backplanes/open.ts → backplanes/redis.ts (import): "open" may import only ',
  ],
  [
    { from: "hub/server.ts", to: "backplanes/memory.ts", kind: "types" },
    'hub/server.ts → backplanes/memory.ts (types): "server" may import only ',
  ],
  [
    { from: "hub/protocol/json/json.ts", to: "node:timers", kind: "code" },
    'hub/protocol/json/json.ts → node:timers (import): "protocol" may import only ',
  ],
  [
    { from: "hub/routing/router.ts", to: "backplanes/backplane.ts", kind: "types" },
    'hub/routing/router.ts → backplanes/backplane.ts (types): "routing" may import only ',
  ],
  [
    { from: "hub/dispatch/uploads.ts", to: "hub/options/connection.ts", kind: "types" },
    'hub/dispatch/uploads.ts → hub/options/connection.ts (types): "dispatch" may import only ',
  ],
  [
    { from: "hub/clock.ts", to: "hub/definition/errors.ts", kind: "types" },
    'hub/clock.ts → hub/definition/errors.ts (types): "clock" may import only node:timers',
  ],
  [
    { from: "hub/definition/errors.ts", to: "hub/clock.ts", kind: "types" },
    'hub/definition/errors.ts → hub/clock.ts (types): "errors" may import only nothing',
  ],
  [
    { from: "hub/server.ts", to: "jsr:@std/async", kind: "code" },
    'hub/server.ts → jsr:@std/async (import): "server" may import only ',
  ],
  [
    { from: "examples/chat/hub.ts", to: "hub/server.ts", kind: "code" },
    "examples/chat/hub.ts → hub/server.ts: examples and benchmarks import only ",
  ],
  [
    { from: "hub/utils.ts", to: "hub/definition/errors.ts", kind: "code" },
    "hub/utils.ts is in no room",
  ],
];

for (const [arrow, text] of WRONG) {
  Deno.test(`objection() names the wrong arrow ${arrow.from} → ${arrow.to}`, () => {
    assertEquals(objection(arrow, ["mod.ts"])?.slice(0, text.length), text);
  });
}

Deno.test("objection() is silent when an arrow points the right way", () => {
  const right: Arrow[] = [
    { from: "hub/routing/proxies.ts", to: "hub/definition/clients.ts", kind: "types" },
    { from: "hub/dispatch/uploads.ts", to: "hub/options/dispatch.ts", kind: "code" },
    { from: "backplanes/open.ts", to: "backplanes/redis.ts", kind: "dynamic" },
    { from: "backplanes/redis.ts", to: "backplanes/redis/client.ts", kind: "code" },
    { from: "backplanes/redis.ts", to: "npm:ioredis", kind: "code" },
    { from: "examples/chat/hub.ts", to: "mod.ts", kind: "code" },
    { from: "tests/hub/router_test.ts", to: "hub/routing/router.ts", kind: "code" },
  ];
  assertEquals(right.map((arrow) => objection(arrow, ["mod.ts"])), right.map(() => undefined));
});
