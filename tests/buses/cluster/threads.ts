import { assert, assertEquals } from "@std/assert";
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

  /** Closes its node, or blocks it for some milliseconds. */
  order(what: "close" | number): void {
    this.#worker.postMessage(what);
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
  closed.order("close");
  await observer.until(closedName, "gone");
  ended[Symbol.dispose]();
  blocked.order(8000);
  await Promise.all([endedName, blockedName].map((name) => observer.until(name, "dead")));
  await observer.until(blockedName, "up");
  await blocked.said.find((line) => line === "done");
  assertEquals(observer.stateOf(endedName), "dead");
  await blocked.said.find((line) => line === `${endedName}: unknown → suspect`, "a suspect node");
  const judged = blocked.said.all.filter((line) => /suspect|dead/.test(line));
  assert(judged.every((line) => !line.startsWith(observer.name)), judged.join("\n"));
}
