/**
 * Starts real servers for tests: on a free port, with every wait bounded, and ended with the test.
 *
 * @module
 */
import { delay } from "@std/async";

/** What a {@link ServerProcess} needs to know of a server. */
export interface ServerProgram {
  /** The program, as found on the PATH, and the Debian package it comes from. */
  readonly command: string;
  /** The arguments for a port. */
  readonly args: (port: number) => string[];
  /** Whether the server on `port` answers; may reject while it does not. */
  readonly ready: (port: number) => Promise<boolean>;
}

/** The longest a server may take to answer after its start, in milliseconds. */
const START_TIMEOUT = 10_000;

/** The longest a server may take to stop in its tracks, in milliseconds. */
const STOP_TIMEOUT = 1000;

/** Whether any thread of a process is not stopped; `false` where the system does not tell. */
function runs(pid: number): boolean {
  try {
    return Array.from(Deno.readDirSync(`/proc/${pid}/task`)).some(({ name }) => {
      const stat = Deno.readTextFileSync(`/proc/${pid}/task/${name}/stat`);
      return !/^ [Tt] /.test(stat.slice(stat.lastIndexOf(")") + 1));
    });
  } catch {
    return false;
  }
}

/**
 * A port that nobody listens on now. Below those that the system gives to outgoing connections, so
 * that a server which is stopped for a while gets its port back.
 */
export function freePort(): number {
  for (let tries = 0;; tries++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) || tries === 100) throw error;
    }
  }
}

/** A server that a test can kill, start again on the same port, stop in its tracks and let go on. */
export class ServerProcess implements AsyncDisposable {
  readonly port: number;
  readonly #program: ServerProgram;
  #child: Deno.ChildProcess | undefined;

  private constructor(program: ServerProgram, port: number) {
    this.#program = program;
    this.port = port;
  }

  /** Starts `program`, or with `running: false` only reserves its port. */
  static async open(
    program: ServerProgram,
    options: { port?: number; running?: boolean } = {},
  ): Promise<ServerProcess> {
    for (let attempt = 1;; attempt++) {
      const server = new ServerProcess(program, options.port ?? freePort());
      if (options.running === false) return server;
      try {
        await server.start();
        return server;
      } catch (error) {
        // Another process may have taken the port between its choice and the start.
        if (attempt === 3 || options.port !== undefined) throw error;
      }
    }
  }

  /** Whether the server was started and not stopped. */
  get running(): boolean {
    return this.#child !== undefined;
  }

  /** The process id, while it runs. */
  get pid(): number {
    if (this.#child === undefined) {
      throw new Error(`Cannot read pid: ${this.#program.command} is not running`);
    }
    return this.#child.pid;
  }

  /** Starts the server and waits until it answers. */
  async start(): Promise<void> {
    const { command, args, ready } = this.#program;
    const child = new Deno.Command(command, {
      args: args(this.port),
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#child = child;
    let ended = false;
    child.status.then(() => ended = true);
    const give = performance.now() + START_TIMEOUT;
    while (!await ready(this.port).catch(() => false)) {
      if (ended || performance.now() > give) {
        await this.stop();
        throw new Error(`Cannot start ${command}: no answer on port ${this.port}`);
      }
      await delay(20);
    }
    if (ended) throw new Error(`Cannot start ${command}: port ${this.port} is in use`);
  }

  /** Kills the server (SIGKILL) and waits until it is gone. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await child.status;
  }

  /** Stops the server in its tracks (SIGSTOP): connections stay open, nothing answers. */
  pause(): void {
    const child = this.#child;
    if (child === undefined) return;
    child.kill("SIGSTOP");
    // Its threads end what they are at, which may be an answer.
    const give = performance.now() + STOP_TIMEOUT;
    while (runs(child.pid) && performance.now() < give);
  }

  /** Lets a paused server go on (SIGCONT). */
  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Sends `request` to `port` and returns the first bytes of the answer as text, within a second. */
export async function firstAnswer(port: number, request: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  if (request !== "") await connection.write(new TextEncoder().encode(request));
  const buffer = new Uint8Array(1024);
  const timer = setTimeout(() => connection.close(), 1000);
  try {
    const read = await connection.read(buffer);
    return new TextDecoder().decode(buffer.subarray(0, read ?? 0));
  } finally {
    clearTimeout(timer);
  }
}
