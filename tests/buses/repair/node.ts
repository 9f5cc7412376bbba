/**
 * A node in a process of its own, with one official client that is a member of the group:
 * `node.ts BACKPLANE_URL OPTIONS`. It prints the port on which it takes an {@link Order} by POST.
 *
 * @module
 */
import { delay } from "@std/async";
import type { HubServerOptions } from "../../../mod.ts";
import { Node, type OfficialClient } from "../scaleout/nodes.ts";
import { GROUP, type Missing, type NodeReport, type Order, type ReportedGap } from "./messages.ts";
import { openBus } from "./open_bus.ts";

/** How often a node that sends looks at the time, in milliseconds. */
const SENDING_INTERVAL = 20;
/** A message that was so long under way is late, in milliseconds. */
const LATE = 500;
/** How many large messages leave at once. */
const BURST = 20;

/** Sends numbered messages to the group. */
class Sender {
  readonly rejected: number[] = [];
  sent = 0;
  pending = 0;
  readonly #node: Node;
  readonly #name: string;
  #stopped = false;

  constructor(node: Node, name: string) {
    this.#node = node;
    this.#name = name;
  }

  async run(rate: number): Promise<void> {
    this.#stopped = false;
    const [first, began] = [this.sent, performance.now()];
    while (!this.#stopped) {
      const due = first + (performance.now() - began) * rate / 1000;
      while (this.sent < due) this.#send("");
      await delay(SENDING_INTERVAL);
    }
  }

  async burst(count: number, bytes: number): Promise<void> {
    const text = "x".repeat(bytes);
    for (let left = count; left > 0; left -= BURST) {
      for (let index = 0; index < BURST; index++) this.#send(text);
      await delay(SENDING_INTERVAL);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  #send(text: string): void {
    const number = this.sent++;
    this.pending++;
    this.#node.clients.group(GROUP).send("heard", this.#name, number, Date.now(), text)
      .catch(() => void this.rejected.push(number))
      .finally(() => this.pending--);
  }
}

/** What the member of a node has heard of one sender. */
class HeardOf {
  readonly numbers = new Set<number>();
  #last = -1;

  /** Notes a message; returns what is wrong with it. */
  note(number: number): "twice" | "disordered" | undefined {
    if (this.numbers.has(number)) return "twice";
    this.numbers.add(number);
    if (number < this.#last) return "disordered";
    this.#last = number;
  }

  missing(sent: number): number[] {
    return Array.from({ length: sent }, (_, number) => number)
      .filter((number) => !this.numbers.has(number));
  }
}

/** Keeps the books of what the member of a node hears. */
class Books {
  readonly heard = new Map<string, HeardOf>();
  readonly wrong = { twice: 0, disordered: 0 };
  lastHeard = 0;
  lastLate = 0;
  readonly #own: string;

  constructor(member: OfficialClient, own: string) {
    this.#own = own;
    const note = (...message: [string, number, number]) => this.#note(...message);
    member.connection.on("heard", note);
  }

  missing(sent: Readonly<Record<string, number>>): Missing {
    return Object.fromEntries(
      Object.entries(sent).map(([sender, count]) => [sender, this.#of(sender).missing(count)]),
    );
  }

  #note(sender: string, number: number, date: number): void {
    const wrong = this.#of(sender).note(number);
    if (wrong !== undefined) this.wrong[wrong]++;
    if (sender === this.#own) return;
    this.lastHeard = Date.now();
    if (this.lastHeard - date > LATE) this.lastLate = this.lastHeard;
  }

  #of(sender: string): HeardOf {
    let heard = this.heard.get(sender);
    if (heard === undefined) this.heard.set(sender, heard = new HeardOf());
    return heard;
  }
}

async function startNode(url: string, options: HubServerOptions): Promise<number> {
  const node = await Node.start(await openBus(url), options);
  const name = node.server.nodes[0]?.name ?? "";
  const gaps: ReportedGap[] = [];
  const seen: string[] = [];
  let opened = 0;
  const note = (what: string) =>
    void seen.push(`${new Date().toISOString().slice(14, -1)} ${what}`);
  node.server.onStatus(({ status, gap, error }) => {
    note(gap === undefined ? `${status} ${error?.message ?? ""}` : "gap");
    if (status === "open" && gap === undefined) opened = Date.now();
    if (gap !== undefined) gaps.push(gap);
  });
  node.server.onNodes(({ node, state }) => note(`${node}: ${state}`));
  const member = await node.connect();
  const books = new Books(member, name);
  await member.connection.invoke("join", GROUP);
  const sender = new Sender(node, name);
  const report = (): NodeReport => ({
    ...{ name, opened, gaps, seen, status: node.server.status, ...books.wrong },
    ...{ sent: sender.sent, rejected: sender.rejected, pending: sender.pending },
    heard: Object.fromEntries([...books.heard].map(([of, { numbers }]) => [of, numbers.size])),
    ...{ lastHeard: books.lastHeard, lastLate: books.lastLate },
    log: node.logger.lines,
  });
  const obey = (order: Order): unknown => {
    switch (order.kind) {
      case "send":
        return void sender.run(order.rate);
      case "stop":
        return sender.stop();
      case "burst":
        return sender.burst(order.count, order.bytes);
      case "block":
        return void setTimeout(() => block(order.duration), SENDING_INTERVAL);
      case "report":
        return report();
      case "missing":
        return books.missing(order.sent);
    }
  };
  const control = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const order: Order = await request.json();
    return Response.json(await obey(order) ?? null);
  });
  return control.addr.port;
}

function block(duration: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, duration);
}

if (import.meta.main) {
  const [url = "", options = "{}"] = Deno.args;
  const port = await startNode(url, JSON.parse(options));
  await Deno.stdout.write(new TextEncoder().encode(`control ${port}\n`));
}
