/**
 * Starts the demo's programs as a user does: as processes, with the permissions that they need.
 *
 * @module
 */
import { deadline } from "@std/async";
import { freePort } from "../../kit/servers/server_process.ts";

/** The longest that anything may take here, in milliseconds. */
const PATIENCE = 20_000;

/** Bounds a wait. */
export function bounded<T>(promise: Promise<T>): Promise<T> {
  return deadline(promise, PATIENCE);
}

/** How a program ended and what it said. */
export interface Outcome {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly output: string;
  readonly errors: string;
}

/** What the programs are allowed to do. */
const PERMISSIONS = {
  demo: ["--allow-net=127.0.0.1", "--allow-read=.", "--allow-run"],
  node: ["--allow-net", "--ignore-env"],
} as const;

/** A program of the demo while it runs. */
export class Program implements AsyncDisposable {
  /** Resolves when it has ended. */
  readonly ended: Promise<Outcome>;
  readonly #child: Deno.ChildProcess;
  readonly #output: Said;

  /** Starts `demo.ts` or `node.ts`. */
  constructor(name: keyof typeof PERMISSIONS, args: readonly string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", ...PERMISSIONS[name], `examples/chat/${name}.ts`, ...args],
      cwd: new URL("../../../", import.meta.url),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const output = this.#output = new Said(this.#child.stdout);
    const errors = new Said(this.#child.stderr);
    this.ended = Promise.all([this.#child.status, output.whole, errors.whole]).then(
      ([{ code, signal }, output, errors]) => ({ code, signal, output, errors }),
    );
  }

  /** What it said once it had said `pattern`; fails with all it said if it never does. */
  async until(pattern: RegExp): Promise<RegExpMatchArray> {
    const said = await bounded(
      Promise.race([this.#output.until(pattern), this.ended.then(() => undefined)]),
    );
    if (said !== undefined) return said;
    throw new Error(`Cannot find ${pattern}: it ended with ${JSON.stringify(await this.ended)}`);
  }

  /** Sends it a signal. */
  signal(name: Deno.Signal): void {
    this.#child.kill(name);
  }

  /** Ends it as Ctrl-C does, and waits until it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGINT");
    } catch {
      // It has ended already.
    }
    await bounded(this.ended);
  }
}

/** A stream of text: all of it, and parts as soon as they are there. */
class Said {
  /** Everything that was said. */
  readonly whole: Promise<string>;
  #text = "";
  #more: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.whole = this.#read(stream);
  }

  async until(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match !== null) return match;
      await this.#more.promise;
    }
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.#text += text;
      this.#more.resolve();
      this.#more = Promise.withResolvers();
    }
    return this.#text;
  }
}

/** A demo that serves. */
export interface Demo {
  readonly program: Program;
  readonly ports: readonly [number, number];
  /** The pages. */
  readonly urls: readonly [string, string];
  /** The processes, on a bus that joins processes. */
  readonly pids: readonly number[];
}

/** Starts the demo on free ports and waits until it serves. */
export function startDemo(backplane?: string): Promise<Demo> {
  const more = backplane === undefined ? [] : ["--backplane", backplane];
  return onFreePort(freePorts, async (port) => {
    const program = new Program("demo", ["--port", `${port}`, ...more]);
    const [text] = await program.until(/[^]*Ctrl-C stops both\n/);
    const [first = "", second = ""] = text.match(/http:\S+/g) ?? [];
    const pids = Array.from(text.matchAll(/process (\d+)/g), ([, pid]) => Number(pid));
    return { program, ports: [port, port + 1], urls: [first, second], pids };
  });
}

/** Starts a node on a free port and waits until it serves. */
export function startChatNode(
  backplane: string,
): Promise<{ readonly program: Program; readonly url: string }> {
  return onFreePort(freePort, async (port) => {
    const program = new Program("node", ["--port", `${port}`, "--backplane", backplane]);
    const [url] = await program.until(/http:\S+/);
    return { program, url };
  });
}

/** Another process may take a port between its choice and the start; then the next one is tried. */
async function onFreePort<T>(
  choose: () => number,
  start: (port: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await start(choose());
    } catch (error) {
      if (attempt === 3 || !(error as Error).message.includes("is in use")) throw error;
    }
  }
}

/** A port that nobody listens on, and neither on the next one. */
export function freePorts(): number {
  for (;;) {
    const port = freePort();
    try {
      Deno.listen({ hostname: "127.0.0.1", port: port + 1 }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) && !(error instanceof RangeError)) throw error;
    }
  }
}
