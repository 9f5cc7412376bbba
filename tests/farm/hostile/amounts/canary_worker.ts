/**
 * The worker of a {@link Canary}: `{ port, pid }` starts it, `{ reset: true }` forgets the figures, and
 * `{ ask: true }` is answered with them when a call that begins later has its answer.
 *
 * @module
 */
import { delay } from "@std/async";
import type { CanaryFigures } from "./canary.ts";
import { call } from "../../../kit/messages.ts";
import { RawSocket } from "../../../kit/socket.ts";

/** The pauses between two calls, pings, and clients that are new, in milliseconds. */
const CALL_INTERVAL = 10;
const PING_INTERVAL = 1000;
const VISIT_INTERVAL = 100;

/** The longest wait for a fresh answer, in milliseconds. */
const PATIENCE = 5000;

/** What one client notices, of which there are two: one that stays, and one that is always new. */
class Line {
  #pid = 0;
  #answer = 0;
  #waited = 0;
  #begun: { readonly at: number; readonly busy: number } | undefined;
  #turns = 0;
  failure: string | undefined;

  /** Does `work` for ever with the node of a process, and measures how long it takes each time. */
  async run(pid: number, interval: number, work: (turn: number) => Promise<void>): Promise<void> {
    this.#pid = pid;
    try {
      for (;; this.#turns++) {
        this.#begun = { at: performance.now(), busy: busyTime(pid) };
        await work(this.#turns);
        this.#measure();
        this.#begun = undefined;
        await delay(interval);
      }
    } catch (error) {
      this.failure ??= (error as Error).message;
    }
  }

  /** What it has noticed so far, with what it waits for now. */
  get figures(): { readonly answer: number; readonly waited: number } {
    this.#measure();
    return { answer: Math.round(this.#answer), waited: Math.round(this.#waited) };
  }

  reset(): void {
    this.#answer = 0;
    this.#waited = 0;
  }

  #measure(): void {
    if (this.#begun === undefined) return;
    const waited = performance.now() - this.#begun.at;
    const busy = busyTime(this.#pid) - this.#begun.busy;
    this.#waited = Math.max(this.#waited, waited);
    this.#answer = Math.max(this.#answer, Math.min(waited, busy));
  }

  /** Resolves when work that begins later is done, or it takes too long. */
  async fresh(): Promise<void> {
    const last = this.#turns + 2;
    const end = performance.now() + PATIENCE;
    while (this.#turns < last && this.failure === undefined && performance.now() < end) {
      await delay(5);
    }
  }
}

/** How long the main thread of a process has had a core, in milliseconds; for ever if it has ended. */
function busyTime(pid: number): number {
  try {
    return Number(Deno.readTextFileSync(`/proc/${pid}/schedstat`).split(" ")[0]) / 1e6;
  } catch {
    return Infinity;
  }
}

const [staying, visiting] = [new Line(), new Line()];
const scope = self as unknown as {
  onmessage: (event: MessageEvent<Question>) => void;
  postMessage(figures: CanaryFigures): void;
};

type Question = { readonly port: number; readonly pid: number } | { readonly reset: true } | {
  readonly ask: true;
};

/** Calls `echo` and reads the answer. */
async function echo(socket: RawSocket, number: number): Promise<void> {
  const id = `${number}`;
  await socket.sendText(`${JSON.stringify(call(id, "echo", number))}\x1e`);
  const answer = `{"type":3,"invocationId":"${id}","result":${number}}\x1e`;
  for (;;) {
    const { payload } = await socket.receive();
    const text = new TextDecoder().decode(payload);
    if (text.includes(answer)) return;
    if (text.includes('{"type":7')) throw new Error(`The canary was closed: ${text}`);
  }
}

/** Comes as a new client, calls once and leaves. */
async function visit(port: number, number: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/hub/negotiate?negotiateVersion=1`, {
    method: "POST",
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`A new client got ${response.status} ${text}`);
  const { connectionToken } = JSON.parse(text);
  using socket = await RawSocket.connect(port, `/hub?id=${connectionToken}`);
  await echo(socket, number);
  await socket.sendClose(1000);
}

scope.onmessage = async ({ data }) => {
  if ("port" in data) {
    const { port, pid } = data;
    const socket = await RawSocket.connect(port, "/hub");
    // Also while it waits for an answer, as an official client does.
    setInterval(() => socket.sendText('{"type":6}\x1e').catch(() => {}), PING_INTERVAL);
    staying.run(pid, CALL_INTERVAL, (turn) => echo(socket, turn));
    visiting.run(pid, VISIT_INTERVAL, (turn) => visit(port, turn));
  } else if ("reset" in data) {
    staying.reset();
    visiting.reset();
    return;
  }
  await Promise.all([staying.fresh(), visiting.fresh()]);
  const failure = staying.failure ?? visiting.failure;
  scope.postMessage({
    ...staying.figures,
    visit: visiting.figures.answer,
    ...failure !== undefined && { failure },
  });
};
