import { assert, assertEquals } from "@std/assert";
import { MAXIMUM_PART_BYTES, type MoveMessage } from "../../../hub/bus/move_messages.ts";
import { type HandoverEffects, Handovers, type Taken } from "../../../hub/moves/handovers.ts";
import { partsOf, StateParts } from "../../../hub/moves/state_parts.ts";

const ANN = { connectionId: "c1", userId: "ann" };
const STATE = Uint8Array.of(1, 2, 3);

/** The handovers of one node, which writes down what they ask for. */
class Node {
  now = 0;
  readonly handovers: Handovers<string>;
  readonly happened: unknown[] = [];
  /** What was said, with the node that it is for; questions are for the channel. */
  readonly said: (readonly [to: string, message: MoveMessage])[] = [];
  taken: Taken = "absent";
  accepts: "accepted" | "later" = "accepted";

  constructor(readonly name: string) {
    const effects: HandoverEffects<string> = {
      serverName: name,
      hub: "hub",
      ask: (question) => void this.said.push(["channel", question]),
      tell: (node, message) => void this.said.push([node, message]),
      take: (connectionId, userId) => {
        this.happened.push(["take", connectionId, userId]);
        return this.taken;
      },
      isOf: (_state, userId) => userId === "ann",
      accept: (state, claim) => {
        this.happened.push(["accept", state, claim]);
        return this.accepts;
      },
      arrived: (claim) => void this.happened.push(["arrived", claim]),
      failed: (claim, why) => void this.happened.push([why, claim]),
      listen: (id, listens) => void this.happened.push(["listen", id, listens]),
      overdue: (id, state) => void this.happened.push(["overdue", id, state]),
      lost: (id, state) => void this.happened.push(["lost", id, state]),
    };
    this.handovers = new Handovers(effects, 15_000);
  }

  claim(about: string, userId = "ann", until = this.now + 2000): number {
    return this.handovers.claim({ ...ANN, userId }, about, { now: this.now, until });
  }

  hear(message: MoveMessage): void {
    this.handovers.received(message, this.now);
  }

  pass(milliseconds: number): void {
    for (let left = milliseconds; left > 0; left -= 50) {
      this.now += 50;
      this.handovers.tick(this.now);
    }
  }

  /** What was said since the last call. */
  get news(): (readonly [to: string, message: MoveMessage])[] {
    return this.said.splice(0);
  }

  /** What has happened since the last call. */
  get events(): unknown[] {
    return this.happened.splice(0);
  }
}

const ABOUT = { hub: "hub", connectionId: "c1" };
const question = (node: string, id: number, userId = "ann"): MoveMessage => (
  { kind: "askMove", ...ABOUT, node, id, userId }
);
const state = (node: string, id: number, parked = false): MoveMessage => (
  { kind: "moveState", ...ABOUT, node, id, parked, part: 0, parts: 1, bytes: STATE }
);
const receipt = (node: string, id: number, parked = false): MoveMessage => (
  { kind: "moveReceipt", hub: "hub", node, id, parked }
);

Deno.test("Handovers.claim() asks every 250 ms with one id, and takes in the state that comes", () => {
  const node = new Node("new");
  node.claim("request");
  node.pass(700);
  assertEquals(node.news, [0, 1, 2].map(() => ["channel", question("new", 1)]));
  node.hear(state("old", 1));
  assertEquals(node.events, [["accept", STATE, "request"]]);
  assertEquals(node.news, [["old", receipt("new", 1)]]);
  // A copy is confirmed again, and has no effect.
  node.hear(state("old", 1));
  assertEquals([node.news, node.events], [[["old", receipt("new", 1)]], []]);
  node.pass(5000);
  assertEquals([node.news, node.events], [[], []]);
});

Deno.test("Handovers.claim() fails at its deadline; a state that comes later is taken in all the same", () => {
  const node = new Node("new");
  node.claim("request");
  node.pass(1950);
  assertEquals(node.events, []);
  node.pass(50);
  assertEquals(node.events, [["late", "request"]]);
  node.news;
  node.pass(5000);
  assertEquals([node.news, node.events], [[], []]);
  node.hear(state("old", 1));
  assertEquals(node.events, [["accept", STATE, "request"]]);
  const other = new Node("other");
  other.claim("request");
  other.pass(13_050);
  other.news;
  other.events;
  assert(other.handovers.idle);
  other.hear(state("old", 1));
  assertEquals([other.news, other.events], [[], []]);
});

Deno.test("Handovers.abandon() asks no more, and takes in the state that comes", () => {
  const node = new Node("new");
  const id = node.claim("first");
  node.handovers.abandon(id);
  node.claim("second");
  node.news;
  node.pass(250);
  assertEquals(node.news, [["channel", question("new", 2)]]);
  node.hear(state("old", 1));
  // The second request has the connection too.
  assertEquals(node.events, [["accept", STATE, "first"], ["arrived", "second"]]);
  node.news;
  node.pass(3000);
  assertEquals([node.news, node.events], [[], []]);
});

Deno.test("Handovers does not confirm a state that cannot be taken in now", () => {
  const node = new Node("new");
  node.claim("request");
  node.news;
  node.accepts = "later";
  node.hear(state("old", 1));
  assertEquals(node.news, []);
  node.accepts = "accepted";
  node.hear(state("old", 1));
  assertEquals(node.news, [["old", receipt("new", 1)]]);
});

Deno.test("Handovers ignores a state that nobody here has asked for", () => {
  const node = new Node("new");
  node.hear(state("old", 1));
  node.claim("request");
  node.news;
  node.hear({ ...state("old", 1), connectionId: "c2" } as MoveMessage);
  assertEquals([node.news, node.events], [[], []]);
});

Deno.test("Handovers answers a claim once, and sends the state until it is confirmed", () => {
  const node = new Node("old");
  node.hear(question("new", 7));
  assertEquals([node.news, node.events], [[], [["take", "c1", "ann"]]]);
  node.taken = "later";
  node.hear(question("new", 7));
  assertEquals([node.news, node.events], [[], [["take", "c1", "ann"]]]);
  node.taken = STATE;
  node.hear(question("new", 7));
  assertEquals(node.news, [["new", state("old", 7)]]);
  node.events;
  node.hear(question("new", 7));
  node.pass(500);
  assertEquals(node.news, [["new", state("old", 7)], ["new", state("old", 7)]]);
  assert(node.handovers.giving);
  node.hear(receipt("other", 7));
  assert(node.handovers.giving);
  node.hear(receipt("new", 7));
  assert(!node.handovers.giving);
  // It may be here again when a copy of the question comes.
  node.hear(question("new", 7));
  node.pass(1000);
  assertEquals([node.news, node.events], [[], []]);
  node.hear(question("new", 8));
  assertEquals(node.news, [["new", state("old", 8)]]);
});

Deno.test("Handovers gives up a state that nobody confirms for 10 s", () => {
  const node = new Node("old");
  node.taken = STATE;
  node.hear(question("new", 7));
  node.pass(9950);
  assertEquals([node.events, node.news.length], [[["take", "c1", "ann"]], 40]);
  node.pass(50);
  assertEquals(node.events, [["lost", "c1", STATE]]);
  assert(node.handovers.idle);
});

Deno.test("Handovers refuses a claim of another user", () => {
  const [old, claimant] = [new Node("old"), new Node("new")];
  old.taken = "denied";
  claimant.claim("request", "bob");
  old.hear(question("new", 1, "bob"));
  const [[to, refusal] = ["", undefined]] = old.news;
  assertEquals([to, refusal?.kind], ["new", "moveRefusal"]);
  if (refusal !== undefined) claimant.hear(refusal);
  assertEquals(claimant.events, [["denied", "request"]]);
  assert(claimant.handovers.idle);
});

Deno.test("Handovers keeps a parked state, and gives it to the node that claims it for its user", () => {
  const node = new Node("keeper");
  node.hear(state("old", 3, true));
  node.hear(state("old", 3, true));
  const confirmed = ["old", receipt("keeper", 3, true)] as const;
  assertEquals([node.news, node.events], [[confirmed, confirmed], [["listen", "c1", true]]]);
  node.hear(question("new", 7, "bob"));
  assertEquals(node.news[0]?.[1].kind, "moveRefusal");
  node.hear(question("new", 8));
  assertEquals(node.news, [["new", state("keeper", 8)]]);
  assertEquals(node.events, [["listen", "c1", false]]);
});

Deno.test("Handovers.claim() takes in what is parked at this node itself", () => {
  const node = new Node("keeper");
  node.hear(state("old", 3, true));
  node.news;
  node.events;
  node.claim("bob's", "bob");
  assertEquals(node.events, [["denied", "bob's"]]);
  node.accepts = "later";
  node.claim("request");
  node.accepts = "accepted";
  node.events;
  node.pass(250);
  assertEquals(node.events, [["accept", STATE, "request"], ["listen", "c1", false]]);
  assertEquals(node.news, []);
});

Deno.test("Handovers gives up a parked state whose client does not come back", () => {
  const node = new Node("keeper");
  node.hear(state("old", 3, true));
  node.events;
  node.pass(14_950);
  assertEquals(node.events, []);
  node.pass(50);
  assertEquals(node.events, [["listen", "c1", false], ["overdue", "c1", STATE]]);
});

Deno.test("Handovers.parkElsewhere() sends what is parked to another node", () => {
  const [node, next] = [new Node("keeper"), new Node("next")];
  node.hear(state("old", 3, true));
  node.news;
  node.handovers.parkElsewhere("next", node.now);
  const [[to, message] = ["", undefined]] = node.news;
  assert(to === "next" && message !== undefined);
  next.hear(message);
  const [[, answer] = ["", undefined]] = next.news;
  if (answer !== undefined) node.hear(answer);
  assert(node.handovers.idle);
  next.claim("request");
  assertEquals(next.events.at(1), ["accept", STATE, "request"]);
});

Deno.test("StateParts joins the parts of a state in any order, and forgets what stays incomplete", () => {
  const address = { id: 1, node: "old", hub: "hub", connectionId: "c1", parked: false };
  const whole = Uint8Array.from({ length: 2.5 * MAXIMUM_PART_BYTES }, (_, index) => index % 251);
  const parts = partsOf(address, whole) ?? [];
  assertEquals(parts.map(({ part, bytes }) => [part, bytes.length]), [
    [0, MAXIMUM_PART_BYTES],
    [1, MAXIMUM_PART_BYTES],
    [2, MAXIMUM_PART_BYTES / 2],
  ]);
  const [first, second, third] = parts;
  assert(first !== undefined && second !== undefined && third !== undefined);
  const joining = new StateParts();
  assertEquals(joining.add("k", third, 0), undefined);
  assertEquals(joining.add("k", third, 0), undefined);
  assertEquals(joining.add("other", first, 0), undefined);
  assertEquals(joining.add("k", first, 0), undefined);
  assertEquals(joining.add("k", second, 0), whole);
  joining.delete("k");
  assertEquals(joining.add("k", first, 0), undefined);
  assertEquals(joining.add("k", second, 5000), undefined);
  assertEquals(joining.add("k", third, 5000), undefined);
  assertEquals(joining.add("k", first, 5000), whole);
  assertEquals(partsOf(address, new Uint8Array()), [
    { kind: "moveState", ...address, part: 0, parts: 1, bytes: new Uint8Array() },
  ]);
  assertEquals(partsOf(address, new Uint8Array(100 * MAXIMUM_PART_BYTES + 1)), undefined);
});

Deno.test("StateParts keeps 16 MiB at most", () => {
  const joining = new StateParts();
  const bytes = new Uint8Array(MAXIMUM_PART_BYTES);
  const part = { kind: "moveState", id: 1, node: "n", hub: "h", connectionId: "c" } as const;
  const message = (part_: number) => ({ ...part, parked: false, part: part_, parts: 2, bytes });
  for (let key = 0; key < 400; key++) joining.add(`${key}`, message(0), 0);
  // There was no room for the last ones.
  assertEquals(joining.add("0", message(1), 0), undefined);
  joining.forgetOld(5000);
  assertEquals(joining.add("0", message(1), 5000), undefined);
  assert(joining.add("0", message(0), 5000) !== undefined);
});
