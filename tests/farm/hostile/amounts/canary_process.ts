/**
 * The process of a {@link Canary}: `canary_process.ts PORT PID` calls the node with that port and process.
 * It prints its figures when its first calls have been answered. The line `reset` makes it forget the
 * figures; `ask` makes it print them when a call that begins later has its answer.
 *
 * @module
 */
import { delay } from "@std/async";
import type { CanaryFigures } from "./canary.ts";
import { call } from "../../../kit/messages.ts";
import { TextLineStream } from "../../../kit/servers/text_lines.ts";
import { RawSocket } from "../../../kit/socket.ts";

/** The pauses between two calls, pings, and clients that are new, in milliseconds. */
const CALL_INTERVAL = 10;
const PING_INTERVAL = 1000;
const VISIT_INTERVAL = 100;

/** The longest wait for a fresh answer, in milliseconds. */
const PATIENCE = 20_000;

/** What one client notices, of which there are two: one that stays, and one that is always new. */
class Line {
  #answer = 0;
  #waited = 0;
  #begun: Times | undefined;
  /** How often it has done its work. */
  #turns = 0;
  /** Ends the pause before the next turn. */
  #pause = new AbortController();
  failure: string | undefined;

  /** Does `work` for ever, and measures how long it takes each time. */
  async run(interval: number, work: (turn: number) => Promise<void>): Promise<void> {
    try {
      for (;;) {
        this.#begun = timesNow();
        await work(this.#turns);
        this.#measure();
        this.#begun = undefined;
        this.#turns++;
        await delay(interval, { signal: this.#pause.signal }).catch(() =>
          this.#pause = new AbortController()
        );
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
    const { at, busy, delayed } = timesNow();
    const waited = at - this.#begun.at;
    const heard = waited - (delayed - this.#begun.delayed);
    this.#waited = Math.max(this.#waited, waited);
    this.#answer = Math.max(this.#answer, Math.min(heard, busy - this.#begun.busy));
  }

  /** Resolves when work that begins later is done, or it takes too long. A pause ends at once. */
  async fresh(): Promise<void> {
    const last = this.#turns + (this.#begun === undefined ? 1 : 2);
    this.#pause.abort();
    const end = performance.now() + PATIENCE;
    while (this.#turns < last && this.failure === undefined && performance.now() < end) {
      await delay(2);
    }
  }
}

/** Times in milliseconds. */
interface Times {
  readonly at: number;
  /** How long the node has had a core; for ever if it has ended. */
  readonly busy: number;
  /** How long this process had to wait for a core. */
  readonly delayed: number;
}

function timesNow(): Times {
  const at = performance.now();
  return { at, busy: scheduled(pid)[0], delayed: scheduled("self")[1] };
}

/** How long the main thread of a process has had a core, and has waited for one, in milliseconds. */
function scheduled(process: string): readonly [number, number] {
  try {
    const text = Deno.readTextFileSync(`/proc/${process}/schedstat`);
    const [busy = Infinity, delayed = 0] = text.split(" ").map((time) => Number(time) / 1e6);
    return [busy, delayed];
  } catch {
    return [Infinity, 0];
  }
}

const port = Number(Deno.args[0]);
const pid = Deno.args[1] ?? "";
const [staying, visiting] = [new Line(), new Line()];
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

/** Prints the figures when calls that begin later have their answers. */
async function tell(): Promise<void> {
  await Promise.all([staying.fresh(), visiting.fresh()]);
  const failure = staying.failure ?? visiting.failure;
  const figures: CanaryFigures = {
    ...staying.figures,
    visit: visiting.figures.answer,
    ...failure !== undefined && { failure },
  };
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(figures)}\n`));
}

const socket = await RawSocket.connect(port, "/hub");
// Also while it waits for an answer, as an official client does.
setInterval(() => socket.sendText('{"type":6}\x1e').catch(() => {}), PING_INTERVAL);
staying.run(CALL_INTERVAL, (turn) => echo(socket, turn));
visiting.run(VISIT_INTERVAL, (turn) => visit(port, turn));
await tell();
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
for await (const line of lines) {
  if (line === "ask") await tell();
  else [staying, visiting].forEach((line) => line.reset());
}
