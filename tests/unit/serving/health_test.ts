import { assertEquals } from "@std/assert";
import { Health, type ServerHealth } from "../../../hub/serving/health.ts";
import { MemoryBackplane, MemoryBus } from "../../../backplanes/memory.ts";
import { resolveOptions } from "../../../hub/options/server.ts";
import { KeptLog } from "../../kit/log.ts";
import { ManualClock } from "../../kit/manual_clock.ts";
import { untilStatus } from "../../kit/wait.ts";

const PATHS = { live: "/healthz", ready: "/readyz" };

/** The health of a node whose parts a test moves by hand. */
class TriedNode implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly bus = new MemoryBus();
  readonly backplane: MemoryBackplane;
  readonly health: Health;
  nodes = 1;
  connections = 0;
  gaps = 0;
  ending: "draining" | "closed" | undefined;

  constructor({ reached = true, health = PATHS } = {}) {
    if (!reached) this.bus.stop();
    this.backplane = new MemoryBackplane(this.bus, { logger: new KeptLog() });
    this.health = new Health({
      backplane: this.backplane,
      clock: this.clock,
      options: resolveOptions({ health }),
      paths: { covers: () => false },
      nodes: () => this.nodes,
      connections: () => this.connections,
      gaps: () => this.gaps,
      ending: () => this.ending,
    });
  }

  /** The state, and whether the node is ready. */
  get state(): string {
    const { state, ready } = this.health.report();
    return `${state}${ready ? ", ready" : ""}`;
  }

  /** Asks with each method; the answers as text. */
  async ask(path: string, methods: readonly string[] = ["GET", "HEAD", "POST"]) {
    const answers: string[] = [];
    for (const method of methods) {
      const request = new Request(`http://localhost${path}`, { method });
      const response = this.health.answer(request, new URL(request.url).pathname);
      const body = await response?.text();
      const state = body && (JSON.parse(body) as ServerHealth).state;
      answers.push(response === undefined ? "none" : `${response.status} ${state}`.trim());
    }
    return answers;
  }

  async [Symbol.asyncDispose]() {
    await this.backplane.close();
  }
}

Deno.test("Health.report() tells every state of a node, from its start to its end", async () => {
  await using node = new TriedNode({ reached: false });
  const { bus, backplane, health } = node;
  assertEquals(node.state, "starting");
  bus.start();
  await untilStatus(backplane, "open");
  assertEquals(node.state, "starting");
  health.started();
  assertEquals(node.state, "up, ready");
  bus.stop();
  assertEquals(node.state, "degraded, ready");
  bus.start();
  await untilStatus(backplane, "open");
  assertEquals(node.state, "up, ready");
  bus.stop();
  for (const ending of ["draining", "closed"] as const) {
    node.ending = ending;
    assertEquals(node.state, ending);
  }
});

Deno.test("Health.report() stays degraded when the backplane is closed behind the server's back", async () => {
  await using node = new TriedNode();
  node.health.started();
  await node.backplane.close();
  assertEquals([node.state, node.health.report().backplane.status], ["degraded, ready", "closed"]);
});

Deno.test("Health.report() of a node that ends before its start is that of its end", async () => {
  await using node = new TriedNode({ reached: false });
  node.ending = "draining";
  assertEquals(node.state, "draining");
  node.ending = "closed";
  assertEquals(node.state, "closed");
});

Deno.test("Health.report() tells since when the backplane has its status", async () => {
  await using node = new TriedNode();
  const { bus, clock, backplane, health } = node;
  const backplaneHealth = () => {
    const { status, since } = health.report().backplane;
    return { status, since };
  };
  const created = clock.date();
  clock.advance(1000);
  assertEquals(backplaneHealth(), { status: "open", since: created });
  bus.stop();
  clock.advance(300);
  const lost = created + 1000;
  assertEquals(backplaneHealth(), { status: "reconnecting", since: lost });
  bus.start();
  await untilStatus(backplane, "open");
  clock.advance(50);
  assertEquals(backplaneHealth(), { status: "open", since: lost + 300 });
});

Deno.test("Health.report() knows the status of the backplane before the server's listener is told", async () => {
  await using node = new TriedNode();
  const { bus, clock, backplane } = node;
  let told: ServerHealth | undefined;
  // The driver tells its listeners in the order in which they came.
  using _first = backplane.onStatus(() => told ??= late.report());
  const late = new Health({
    backplane,
    clock,
    options: resolveOptions({}),
    paths: { covers: () => false },
    nodes: () => 1,
    connections: () => 0,
    gaps: () => 0,
    ending: () => undefined,
  });
  clock.advance(1000);
  bus.stop();
  assertEquals(told?.backplane.status, "reconnecting");
  assertEquals(told?.backplane.since, clock.date());
});

Deno.test("Health.report() counts gaps, nodes and connections, and tells the driver's last probe", async () => {
  await using node = new TriedNode();
  const { health } = node;
  const numbers = () => {
    const { connections, nodes, backplane: { gaps, probe } } = health.report();
    return { connections, nodes, gaps, probe };
  };
  assertEquals(numbers(), { connections: 0, nodes: 1, gaps: 0, probe: null });
  node.connections = 7;
  node.nodes = 3;
  node.gaps = 2;
  Object.assign(node.backplane, { probe: 0.25 });
  assertEquals(numbers(), { connections: 7, nodes: 3, gaps: 2, probe: 0.25 });
  Object.assign(node.backplane, { probe: undefined });
  assertEquals(numbers().probe, null);
});

Deno.test("Health.answer() answers both paths in every state", async () => {
  await using node = new TriedNode({ reached: false });
  const both = async () => [...await node.ask("/healthz"), ...await node.ask("/readyz")];
  const answers = (live: number, ready: number, state: string) => [
    ...[`${live} ${state}`, `${live}`, "405"],
    ...[`${ready} ${state}`, `${ready}`, "405"],
  ];
  assertEquals(await both(), answers(200, 503, "starting"));
  node.bus.start();
  await untilStatus(node.backplane, "open");
  node.health.started();
  assertEquals(await both(), answers(200, 200, "up"));
  node.bus.stop();
  assertEquals(await both(), answers(200, 200, "degraded"));
  node.ending = "draining";
  assertEquals(await both(), answers(200, 503, "draining"));
  node.ending = "closed";
  assertEquals(await both(), answers(503, 503, "closed"));
});

Deno.test("Health.answer() answers its paths alone, whatever the query", async () => {
  await using node = new TriedNode();
  node.health.started();
  const get = ["GET"];
  for (const path of ["/healthz?", "/healthz?full=1", "/readyz?x=/healthz"]) {
    assertEquals(await node.ask(path, get), ["200 up"], path);
  }
  for (const path of ["/", "/healthz/", "/Healthz", "/healthz/x", "/hub?/healthz", "/readyz2"]) {
    assertEquals(await node.ask(path, get), ["none"], path);
  }
});

Deno.test("Health.answer() answers nothing where the option does not say so", async () => {
  await using off = new TriedNode({ health: {} as typeof PATHS });
  for (const path of ["/", "/healthz", "/readyz", "/undefined"]) {
    assertEquals(await off.ask(path), ["none", "none", "none"], path);
  }
  await using live = new TriedNode({ health: { live: "/healthz" } as typeof PATHS });
  assertEquals(await live.ask("/healthz", ["GET"]), ["200 starting"]);
  assertEquals(await live.ask("/readyz", ["GET"]), ["none"]);
});

Deno.test("Health.answer() answers JSON that nobody keeps, with numbers and states only", async () => {
  await using node = new TriedNode();
  node.health.started();
  const request = new Request("http://localhost/readyz");
  const response = node.health.answer(request, "/readyz");
  assertEquals(Object.fromEntries(response?.headers ?? []), {
    "cache-control": "no-store",
    "content-type": "application/json",
  });
  assertEquals(await response?.json(), {
    ready: true,
    state: "up",
    backplane: { status: "open", since: node.clock.date(), probe: null, gaps: 0 },
    nodes: 1,
    connections: 0,
  });
  const refused = node.health.answer(new Request(request.url, { method: "DELETE" }), "/readyz");
  assertEquals(Object.fromEntries(refused?.headers ?? []), {
    "allow": "GET, HEAD",
    "cache-control": "no-store",
  });
});
