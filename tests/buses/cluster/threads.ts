import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { Events } from "../../kit/wait.ts";
import { Observer } from "./observer.ts";

/** A node in a thread. */
class Thread implements Disposable {
  readonly said = new Events<string>();
  readonly #worker: Worker;

  constructor(url: string) {
    const program = new URL("worker.ts", import.meta.url);
    this.#worker = new Worker(program, { type: "module", name: url });
    this.#worker.onmessage = ({ data }: MessageEvent<string>) => this.said.add(data);
  }

  /** Resolves with its name when it is ready. */
  async ready(): Promise<string> {
    const line = await this.said.find((line) => line.startsWith("ready "), "a node in a thread");
    return line.slice("ready ".length);
  }

  /** Closes its node. */
  close(): void {
    this.#worker.postMessage("close");
  }

  /** Blocks the thread until the result is disposed. */
  block(): Disposable {
    const lock = new Int32Array(new SharedArrayBuffer(4));
    this.#worker.postMessage(lock.buffer);
    return { [Symbol.dispose]: () => void Atomics.notify(lock, 0) };
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

/** Four nodes in threads: one ends without a word, one is blocked and goes on, one says goodbye. */
export async function tryThreads(): Promise<void> {
  const url = `broadcast:${crypto.randomUUID()}`;
  await using observer = await Observer.start(url);
  using ended = new Thread(url);
  using blocked = new Thread(url);
  using closed = new Thread(url);
  const threads = [ended, blocked, closed];
  const names = await Promise.all(threads.map((thread) => thread.ready()));
  const [endedName = "", blockedName = "", closedName = ""] = names;
  for (const name of names) await observer.until(name, "up");
  for (const [index, thread] of threads.entries()) {
    for (const other of [observer.name, ...names.toSpliced(index, 1)]) {
      await thread.said.find((line) => line.startsWith(other) && line.endsWith("→ up"), other);
    }
  }
  closed.close();
  await observer.until(closedName, "gone");
  ended[Symbol.dispose]();
  const lock = blocked.block();
  const since = performance.now();
  await Promise.all([endedName, blockedName].map((name) => observer.until(name, "dead")));
  await delay(Math.max(0, since + 8000 - performance.now()));
  lock[Symbol.dispose]();
  await observer.until(blockedName, "up");
  await blocked.said.find((line) => line === "done");
  assertEquals(observer.stateOf(endedName), "dead");
  await blocked.said.find((line) => line === `${endedName}: unknown → suspect`, "a suspect node");
  const judged = blocked.said.all.filter((line) => line.endsWith("→ dead"));
  assert(judged.every((line) => !line.startsWith(observer.name)), judged.join("\n"));
}
