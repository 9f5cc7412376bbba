import { assertEquals } from "@std/assert";
import type { NodeActivity, Sign } from "../../../hub/bus/node_messages.ts";
import { Membership } from "../../../hub/cluster/membership.ts";
import type { NodeState } from "../../../hub/cluster/node.ts";
import { ManualClock } from "../../kit/manual_clock.ts";
import { seeded } from "../../kit/random.ts";

/** A membership, and the changes that it tells, as `node: before → state`. */
class Watched {
  readonly clock = new ManualClock();
  readonly changes: string[] = [];
  readonly membership = new Membership(({ node, state, before }) => {
    this.changes.push(before === undefined ? `${node}: ${state}` : `${node}: ${before} → ${state}`);
  }, this.clock.now());
  readonly #ids = new Map<string, number>();

  get at() {
    return { now: this.clock.now(), date: this.clock.date() };
  }

  /** A sign of `node`; its number follows the last one unless it is given. */
  sign(node: string, change: Partial<Sign> = {}) {
    const id = change.id ?? (this.#ids.get(node) ?? 0) + 1;
    this.#ids.set(node, id);
    const about = { activity: "up", interval: 1000, connections: 7, hubs: [], keys: [] } as const;
    const sign: Sign = { kind: "sign", node, started: 5, date: 6, ...about, ...change, id };
    const heard = this.membership.heard(sign, this.at);
    if (sign.kind === "bye") this.membership.left(node, this.at);
    return heard;
  }

  /** Lets so many seconds pass, with a tick in each. */
  seconds(count: number): void {
    for (let second = 0; second < count; second++) {
      this.clock.pass(1000);
      this.membership.tick(this.at);
    }
  }

  /** The changes since the last call. */
  take(): string[] {
    return this.changes.splice(0);
  }

  stateOf(name: string): NodeState | undefined {
    return [...this.membership.nodes()].find((node) => node.name === name)?.state;
  }
}

Deno.test("Membership takes a node to be what it says, and tells each change", () => {
  const watched = new Watched();
  for (const activity of ["starting", "starting", "up", "draining"] as const) {
    watched.sign("a", { activity });
  }
  watched.sign("a", { kind: "bye" });
  const told = ["a: starting", "a: starting → up", "a: up → draining", "a: draining → gone"];
  assertEquals(watched.take(), told);
});

Deno.test("Membership: a node is suspect after three missed signs and dead after five", () => {
  for (
    const [interval, counted] of [[1000, 1000], [2500, 2500], [1, 100], [9e15, 60_000]] as const
  ) {
    const watched = new Watched();
    watched.sign("a", { interval });
    watched.take();
    const seconds = (signs: number) => Math.floor(signs * counted / 1000) + 1;
    watched.seconds(seconds(3) - 1);
    assertEquals(watched.take(), []);
    watched.seconds(1);
    if (counted > 200) assertEquals(watched.take(), ["a: up → suspect"]);
    watched.seconds(seconds(5) - seconds(3));
    assertEquals(watched.stateOf("a"), "dead");
    assertEquals(watched.membership.lives("a"), false);
  }
});

Deno.test("Membership.hears() is false from one missed sign on, until the node gives one", () => {
  const watched = new Watched();
  const hears = (name: string) => watched.membership.hears(name, watched.clock.now());
  assertEquals(hears("a"), true);
  watched.sign("a");
  watched.sign("slow", { interval: 10_000 });
  watched.seconds(1);
  assertEquals([hears("a"), hears("slow")], [true, true]);
  watched.seconds(1);
  assertEquals([hears("a"), hears("slow")], [false, true]);
  watched.seconds(5);
  assertEquals([watched.stateOf("a"), hears("a")], ["dead", false]);
  watched.sign("a", { id: 2 });
  assertEquals(hears("a"), true);
});

Deno.test("Membership: a suspect or dead node that gives a sign is up at once", () => {
  const watched = new Watched();
  watched.sign("a");
  watched.seconds(4);
  watched.sign("a");
  watched.seconds(7);
  watched.sign("a");
  assertEquals(watched.take(), [
    ...["a: up", "a: up → suspect", "a: suspect → up"],
    ...["a: up → suspect", "a: suspect → dead", "a: dead → up"],
  ]);
});

Deno.test("Membership: nodes are unknown while the own bus is away, and until they give a sign", () => {
  const watched = new Watched();
  watched.sign("a");
  watched.sign("b", { kind: "bye", id: 9 });
  watched.sign("c");
  watched.sign("c", { kind: "bye" });
  watched.membership.away(watched.at);
  watched.seconds(60);
  // A driver may hear before it can speak.
  watched.sign("a");
  assertEquals(watched.take(), ["a: up", "c: up", "c: up → gone", "a: up → unknown"]);
  assertEquals([watched.membership.lives("a"), watched.membership.lives("c")], [true, false]);
  watched.membership.back(watched.at);
  watched.seconds(3);
  assertEquals(watched.take(), []);
  watched.sign("a");
  assertEquals(watched.take(), ["a: unknown → up"]);
  watched.membership.away(watched.at);
  watched.membership.back(watched.at);
  watched.seconds(6);
  const judged = ["a: up → unknown", "a: unknown → suspect", "a: suspect → dead"];
  assertEquals(watched.take(), judged);
});

Deno.test("Membership: nobody is judged by the time that this node stood still", () => {
  const watched = new Watched();
  watched.sign("a");
  watched.sign("b");
  watched.seconds(2);
  watched.clock.pass(8000);
  // The first thing that it reads is a sign.
  watched.sign("b");
  assertEquals(watched.take().slice(2), ["a: up → unknown", "b: up → unknown", "b: unknown → up"]);
  watched.seconds(3);
  assertEquals(watched.take(), []);
  watched.sign("b");
  watched.seconds(3);
  assertEquals(watched.take(), ["a: unknown → suspect", "a: suspect → dead"]);
});

Deno.test("Membership: a tick that was left out excuses nobody", () => {
  const watched = new Watched();
  watched.sign("a");
  watched.clock.pass(3000);
  watched.membership.tick(watched.at);
  assertEquals(watched.take(), ["a: up"]);
});

Deno.test("Membership.met() knows a node that has given no sign, and judges it like others", () => {
  const watched = new Watched();
  assertEquals(watched.membership.met("a", watched.at), true);
  assertEquals(watched.membership.lives("a"), true);
  const [node] = watched.membership.nodes();
  const since = watched.clock.date();
  const nothing = { started: undefined, connections: undefined, lastSign: undefined };
  assertEquals(node, { name: "a", state: "unknown", since, ...nothing });
  watched.seconds(6);
  // It speaks again, but gives no sign; then it gives one.
  watched.membership.met("a", watched.at);
  watched.sign("a", { id: 9 });
  watched.sign("a", { kind: "bye" });
  watched.membership.met("a", watched.at);
  assertEquals(watched.take(), [
    ...["a: unknown", "a: unknown → suspect", "a: suspect → dead", "a: dead → unknown"],
    ...["a: unknown → up", "a: up → gone"],
  ]);
});

Deno.test("Membership.heard() tells new signs from repeated and late ones, and finds missing ones", () => {
  const watched = new Watched();
  const ids = [7, 7, 8, 10, 9, 11, 14];
  const heard = ids.map((id) => watched.sign("a", { id }));
  const news = [true, false, true, true, false, true, true];
  assertEquals(heard.map((sign) => sign?.isNew), news);
  const missed = [false, false, false, true, false, false, true];
  assertEquals(heard.map((sign) => sign?.missed), missed);
  assertEquals(watched.sign("a", { kind: "bye", id: 16 }), { isNew: true, missed: true });
  assertEquals(watched.sign("a", { id: 15 }), { isNew: false, missed: false });
  assertEquals(watched.stateOf("a"), "gone");
  assertEquals(watched.sign("a", { id: 17 }), { isNew: true, missed: false });
  assertEquals(watched.stateOf("a"), "up");
  // A goodbye of a node that nobody knows is nothing new to anybody.
  assertEquals(watched.sign("b", { kind: "bye" }), { isNew: false, missed: false });
  assertEquals(watched.stateOf("b"), undefined);
});

Deno.test("Membership remembers 1,000 nodes; those that ended first are forgotten for new ones", () => {
  const watched = new Watched();
  for (let node = 0; node < 998; node++) watched.sign(`a${node}`, { interval: 60_000 });
  for (const node of ["b", "c"]) watched.sign(node, { interval: 60_000 });
  assertEquals(watched.sign("d"), undefined);
  assertEquals(watched.membership.met("d", watched.at), false);
  for (const node of ["c", "b"]) watched.sign(node, { kind: "bye" });
  watched.sign("d", { id: 1 });
  assertEquals([..."bcd"].map((node) => watched.stateOf(node)), ["gone", undefined, "up"]);
  watched.membership.met("e", watched.at);
  assertEquals([..."bcde"].map((node) => watched.stateOf(node)), [
    ...[undefined, undefined, "up", "unknown"],
  ]);
  assertEquals(watched.sign("f"), undefined);
  assertEquals([...watched.membership.nodes()].length, 1000);
});

Deno.test("Membership forgets an ended node ten minutes after it was last heard", () => {
  const watched = new Watched();
  watched.sign("a");
  watched.sign("b");
  watched.sign("b", { kind: "bye" });
  watched.seconds(600);
  assertEquals([..."ab"].map((node) => watched.stateOf(node)), ["dead", "gone"]);
  watched.seconds(1);
  assertEquals([...watched.membership.nodes()], []);
});

Deno.test("Membership.alone holds once this node has heard no other for 30 s while its bus was there", () => {
  const watched = new Watched();
  const { membership } = watched;
  const alone = () => membership.alone;
  watched.seconds(30);
  assertEquals(alone(), false);
  watched.seconds(1);
  assertEquals(alone(), true);
  watched.sign("a", { interval: 10_000 });
  watched.seconds(31);
  assertEquals(alone(), false);
  watched.sign("a", { kind: "bye" });
  watched.seconds(30);
  assertEquals(alone(), false);
  watched.seconds(1);
  assertEquals(alone(), true);
  // Others may have met meanwhile.
  membership.away(watched.at);
  watched.seconds(60);
  membership.back(watched.at);
  assertEquals(alone(), false);
  watched.seconds(30);
  assertEquals(alone(), false);
  watched.seconds(1);
  assertEquals(alone(), true);
});

Deno.test("Membership.interval grows with the farm: 10,000 deliveries of signs a second at most", () => {
  const watched = new Watched();
  for (let nodes = 1; nodes <= 1000; nodes++) {
    const { interval } = watched.membership;
    assertEquals(interval, 1000 * Math.ceil(nodes / 100));
    if (nodes * nodes * 1000 / interval > 100 * nodes) throw new Error(`${nodes} nodes`);
    watched.sign(`n${nodes}`);
  }
});

/** What a node is to be, told as plainly as possible. */
class Model {
  readonly nodes = new Map<string, {
    heard: number;
    interval: number;
    activity: NodeActivity | undefined;
    ended: "dead" | "gone" | undefined;
  }>();
  away = false;
  listening = 0;

  /** Nothing that was said before counts. */
  begin(now: number): void {
    this.listening = now;
    for (const node of this.nodes.values()) node.activity = undefined;
  }

  state(name: string, now: number): NodeState | undefined {
    const node = this.nodes.get(name);
    if (node === undefined || node.ended !== undefined) return node?.ended;
    if (this.away) return "unknown";
    const signs = (now - Math.max(node.heard, this.listening)) / node.interval;
    if (signs > 5) return node.ended = "dead";
    return signs > 3 ? "suspect" : node.activity ?? "unknown";
  }
}

Deno.test("Membership judges as a model of a few lines does, whatever happens", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = seeded(seed);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    const watched = new Watched();
    const model = new Model();
    for (let step = 0; step < 200; step++) {
      const name = pick(["a", "b", "c"]);
      const now = watched.clock.now();
      const known = model.nodes.get(name);
      switch (
        pick(["sign", "sign", "sign", "pass", "pass", "pass", "met", "bye", "sleep", "bus"])
      ) {
        case "sign": {
          const activity = pick(["starting", "up", "draining"] as const);
          const interval = pick([100, 1000, 4000]);
          watched.sign(name, { activity, interval, kind: pick(["sign", "hello"]) });
          const said = model.away ? undefined : activity;
          model.nodes.set(name, { heard: now, interval, activity: said, ended: undefined });
          break;
        }
        case "met":
          watched.membership.met(name, watched.at);
          if (known === undefined || known.ended === "dead") {
            const interval = known?.interval ?? 1000;
            model.nodes.set(name, { heard: now, interval, activity: undefined, ended: undefined });
          }
          break;
        case "bye":
          watched.sign(name, { kind: "bye" });
          if (known !== undefined) model.nodes.set(name, { ...known, heard: now, ended: "gone" });
          break;
        case "bus":
          if (model.away) watched.membership.back(watched.at);
          else watched.membership.away(watched.at);
          model.away = !model.away;
          model.begin(now);
          break;
        case "sleep":
          watched.clock.pass(pick([3600, 8000, 100_000]));
          model.begin(watched.clock.now());
          break;
        case "pass":
          watched.clock.pass(1000);
      }
      watched.membership.tick(watched.at);
      for (const node of ["a", "b", "c"]) {
        const right = model.state(node, watched.clock.now());
        assertEquals(watched.stateOf(node), right, `seed ${seed}, step ${step}, node ${node}`);
        assertEquals(watched.membership.lives(node), !["dead", "gone", undefined].includes(right));
      }
    }
  }
});
