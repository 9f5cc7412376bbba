import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { BroadcastChannelBackplane } from "../../../backplanes/broadcast_channel.ts";
import { readNatsAddress } from "../../../backplanes/nats/address.ts";
import { resolveRedisSettings } from "../../../backplanes/redis/settings.ts";
import type { METHOD_PARTS } from "../../../hub/definition/check_method.ts";
import { type CheckedMethod, method } from "../../../hub/definition/method.ts";
import { resolveListenOptions } from "../../../hub/listen/options.ts";
import {
  createHubServer,
  defineHub,
  type Hubs,
  MemoryBackplane,
  openBackplane,
} from "../../../mod.ts";
import { holds, type Same } from "../types/type_claims.ts";

const hub = defineHub({ methods: {} });
const handler = () => {};

/** Options that the compiler would refuse. */
function wrong(options: object): never {
  return options as never;
}

function serve(misspelt: object): unknown {
  return createHubServer({ hubs: { "/hub": hub }, backplane: new MemoryBackplane(), ...misspelt });
}

/** A call with a misspelt name, its task, the name, and the nearest known one. */
const MISSPELT: readonly (readonly [
  call: () => unknown,
  task: string,
  name: string,
  nearest: string,
])[] = [
  [() => serve({ authenicate: handler }), "create hub server", "authenicate", "authenticate"],
  [() => serve({ autorize: handler }), "create hub server", "autorize", "authorize"],
  [() => serve({ filter: [] }), "create hub server", "filter", "filters"],
  [() => serve({ ongap: handler }), "create hub server", "ongap", "onGap"],
  [
    () => serve({ keepaliveInterval: 1 }),
    "create hub server",
    "keepaliveInterval",
    "keepAliveInterval",
  ],
  [() => serve({ websockets: {} }), "create hub server", "websockets", "webSockets"],
  [() => serve({ autorize: undefined }), "create hub server", "autorize", "authorize"],
  [
    () => serve({ webSockets: { allowedOrigin: [] } }),
    "use webSockets",
    "allowedOrigin",
    "allowedOrigins",
  ],
  [() => serve({ longPolling: { timeout: 1 } }), "use longPolling", "timeout", "pollTimeout"],
  [
    () => serve({ cors: { origins: "*", credential: true } }),
    "use cors",
    "credential",
    "credentials",
  ],
  [() => serve({ health: { readyz: "/readyz" } }), "use health", "readyz", "ready"],
  [
    () => serve({ hubs: { "/hub": { methods: {}, autorize: handler } } }),
    'serve hub at "/hub"',
    "autorize",
    "authorize",
  ],
  [
    () => defineHub({ methods: {}, ...{ autorize: handler } }),
    "define hub",
    "autorize",
    "authorize",
  ],
  [
    () => defineHub({ methods: {}, ...{ conected: handler } }),
    "define hub",
    "conected",
    "connected",
  ],
  [
    () => defineHub({ methods: {}, filters: [wrong({ conected: handler })] }),
    "define hub: a filter",
    "conected",
    "connected",
  ],
  [
    () => serve({ filters: [{}, { invoked: handler }] }),
    "create hub server: a filter",
    "invoked",
    "invoke",
  ],
  [
    () => method({ authorize: () => true, handler, ...{ arg: [] } }),
    "define method",
    "arg",
    "args",
  ],
  [
    () => defineHub({ methods: { m: { handler, ...{ autorize: handler } } } }),
    'define hub: method "m"',
    "autorize",
    "authorize",
  ],
  [() => resolveListenOptions(wrong({ prot: 1 }), console), "listen", "prot", "port"],
  [() => resolveListenOptions(wrong({ tls: {} }), console), "listen", "tls", "port"],
  [
    () => new MemoryBackplane("", wrong({ prefx: "" })),
    "use options of MemoryBackplane",
    "prefx",
    "prefix",
  ],
  [
    () => new BroadcastChannelBackplane("x", wrong({ probeIntervall: 1 })),
    "use options of BroadcastChannelBackplane",
    "probeIntervall",
    "probeInterval",
  ],
  [
    () => resolveRedisSettings("redis://localhost", wrong({ user: "x" })),
    "use options of RedisBackplane",
    "user",
    "username",
  ],
  [
    () => resolveRedisSettings("redis://localhost", { tls: wrong({ rejectUnauthorised: true }) }),
    "use options of RedisBackplane tls",
    "rejectUnauthorised",
    "rejectUnauthorized",
  ],
  [
    () => readNatsAddress("nats://localhost", wrong({ server: [] })),
    "use options of NatsBackplane",
    "server",
    "servers",
  ],
  [
    () => readNatsAddress("nats://localhost", { tls: wrong({ certificate: "" }) }),
    "use options of NatsBackplane tls",
    "certificate",
    "cert",
  ],
];

Deno.test("every misspelt option is a TypeError that names the nearest known one", () => {
  for (const [call, task, name, nearest] of MISSPELT) {
    assertEquals(
      assertThrows(call, TypeError).message,
      `Cannot ${task}: "${name}" is not a known name; the nearest is "${nearest}"`,
    );
  }
});

Deno.test("drain() and openBackplane() reject a misspelt option", async () => {
  await using server = createHubServer({ hubs: { "/hub": hub }, backplane: new MemoryBackplane() });
  await assertRejects(
    () => server.drain(wrong({ timeuot: 1 })),
    TypeError,
    'Cannot drain: "timeuot" is not a known name; the nearest is "timeout"',
  );
  const request = new Request("http://localhost/hub/negotiate", { method: "POST" });
  assertEquals((await server.fetch(request)).status, 200);
  await assertRejects(
    () => openBackplane("memory:", wrong({ publishTimout: 1 })),
    TypeError,
    'Cannot open backplane: "publishTimout" is not a known name; the nearest is "publishTimeout"',
  );
});

Deno.test("openBackplane() gives each driver only its own options", async () => {
  const options = { publishTimeout: 100, probeInterval: 100, prefix: "a:", password: "x" };
  for (const url of ["memory:", "broadcast:options", "redis://localhost:1"]) {
    await using backplane = await openBackplane(url, options);
    assertEquals(backplane.status === "closed", false);
  }
});

Deno.test("createHubServer() refuses what is not a hub, and a promise that was not awaited", async () => {
  const text = 'Cannot serve hub at "/hub": it is ';
  const cases: readonly (readonly [configuration: object, text: string])[] = [
    ...[undefined, null, 5, "hub", handler].map((hub) =>
      [{ hubs: { "/hub": hub } }, `${text}not a hub; defineHub() makes one`] as const
    ),
    [{ hubs: { "/hub": Promise.resolve(hub) } }, `${text}a Promise; await it`],
    [{ hubs: { "/hub": {} } }, 'Cannot serve hub at "/hub": methods is not an object'],
    [
      { backplane: openBackplane("memory:") },
      "Cannot create hub server: backplane is a Promise; await openBackplane()",
    ],
    [{ authenticate: {} }, "Cannot create hub server: authenticate is not a function"],
    [{ onGap: true }, "Cannot create hub server: onGap is not a function"],
  ];
  await using backplane = new MemoryBackplane();
  const right = { hubs: { "/hub": hub } as Hubs, backplane };
  for (const [wrong, text] of cases) {
    assertEquals(
      assertThrows(() => createHubServer({ ...right, ...wrong }), TypeError).message,
      text,
    );
  }
  await createHubServer(right).close();
});

holds<Same<keyof typeof METHOD_PARTS, keyof CheckedMethod<[], [], never, never>>>();
