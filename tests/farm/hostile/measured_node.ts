import { assert, assertEquals } from "@std/assert";
import { deadline, delay } from "@std/async";
import type { HubServerOptions } from "@hubplane/hubplane";
import { HOSTS } from "../../kit/servers/hosts.ts";
import { TextLineStream } from "../../kit/servers/text_lines.ts";
import { figure } from "./figures.ts";
import type { NodeState } from "./node_state.ts";

/** What a process takes, from `/proc`. */
export interface Usage {
  /** Resident memory in MiB. */
  readonly rssMiB: number;
  /** Open descriptors. */
  readonly descriptors: number;
}

/** What may be left of an attack when all of it is gone, in MiB. */
export interface Remains {
  /** Of what is alive: code that was compiled, tables that stay as large as they were. */
  readonly liveMiB?: number;
  /** Of resident memory: allocators keep some for the next time. */
  readonly rssMiB?: number;
}

/** How long a node may take to start, and to say what it holds, in milliseconds. */
const PATIENCE = 30_000;

/**
 * How long what a node holds may take to go. The deadlines of a node count the time in which it could work:
 * on a machine that has little time for it, 6 s take a minute.
 */
const CLEARING = 120_000;

/** How a node is started. */
export interface NodeSetting {
  /** The URL of its bus; one of its own by default. */
  readonly bus?: string;
  /** Whether it must log nothing. */
  readonly quiet?: boolean;
}

/** What a process writes to its standard error. */
class NodeLog {
  readonly entries: string[] = [];
  readonly #end: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#end = this.#read(stream);
  }

  /** All of it, when the process has ended. */
  async whole(): Promise<string> {
    await this.#end;
    return this.entries.join("\n");
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    const lines = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    for await (const line of lines) this.entries.push(line);
  }
}

/** A node in a process of its own; it must live, and have logged nothing, when it is disposed of. */
export class MeasuredNode implements AsyncDisposable {
  /** Which server it runs behind. */
  readonly server: string;
  readonly port: number;
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #questions: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #log: NodeLog;
  readonly #quiet: boolean;
  readonly #first: { readonly liveMiB: number; readonly rssMiB: number };
  #ended: Deno.CommandStatus | undefined;

  private constructor(
    server: string,
    child: Deno.ChildProcess,
    parts: {
      readonly lines: ReadableStreamDefaultReader<string>;
      readonly log: NodeLog;
      readonly quiet: boolean;
      readonly first: { readonly port: number; readonly liveMiB: number };
    },
  ) {
    this.server = server;
    this.port = parts.first.port;
    this.#child = child;
    this.#lines = parts.lines;
    this.#questions = child.stdin.getWriter();
    this.#log = parts.log;
    this.#quiet = parts.quiet;
    child.status.then((status) => this.#ended = status);
    this.#first = { liveMiB: parts.first.liveMiB, rssMiB: this.usage().rssMiB };
  }

  /** The number of its process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Starts it and waits until it listens. */
  static async start(
    server: string,
    options: HubServerOptions = {},
    { bus = "memory:", quiet = true }: NodeSetting = {},
  ): Promise<MeasuredNode> {
    const program = new URL("./node.ts", import.meta.url).pathname;
    // The inspector counts what it holds.
    const flags = [
      "--allow-net",
      "--allow-env",
      "--allow-sys",
      "--quiet",
      "--v8-flags=--expose-gc",
    ];
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", ...flags, program, server, JSON.stringify(options), bus],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const log = new NodeLog(child.stderr);
    const lines = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    const { value } = await deadline(lines.read(), PATIENCE);
    if (value === undefined) throw new Error(`Cannot start node: ${await log.whole()}`);
    return new MeasuredNode(server, child, { lines, log, quiet, first: JSON.parse(value) });
  }

  /** What it takes now. */
  usage(): Usage {
    this.assertAlive();
    const status = Deno.readTextFileSync(`/proc/${this.#child.pid}/status`);
    const rss = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
    const descriptors = [...Deno.readDirSync(`/proc/${this.#child.pid}/fd`)].length;
    return { rssMiB: Math.round(rss), descriptors };
  }

  /** The entries of its log, a line each. */
  get log(): readonly string[] {
    return this.#log.entries;
  }

  /** Stops the process in its tracks, or lets it go on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child.kill(signal);
  }

  /** What it holds now, asked past its port. */
  state(): Promise<NodeState> {
    return this.#ask("all");
  }

  async #ask<T>(question: "all" | "entries"): Promise<T> {
    await this.#questions.write(new TextEncoder().encode(`${question}\n`));
    const { value } = await deadline(this.#lines.read(), PATIENCE);
    if (value === undefined) throw new Error("The node has ended");
    return JSON.parse(value);
  }

  /** Resolves when its maps have no more entries than at its start, or at `last`. */
  async #emptied(last: number): Promise<void> {
    while (performance.now() < last) {
      const more = Object.values(await this.#ask<NodeState["more"]>("entries"));
      if (more.every((count) => count === 0)) return;
      await delay(100);
    }
  }

  /**
   * Resolves when the node holds nothing that it did not hold at its start: no connection, group, user,
   * call, upload, token or result that is awaited, and no memory beyond what may remain.
   */
  async cleared({ liveMiB = 12, rssMiB = 160 }: Remains = {}): Promise<void> {
    const last = performance.now() + CLEARING;
    // Asked for all that it holds, a node searches its whole heap and stands still for that.
    await this.#emptied(last);
    for (;;) {
      const asked = performance.now();
      const state = await this.state();
      const left = Object.entries(state.more).filter(([, count]) => count !== 0);
      const live = state.liveMiB - this.#first.liveMiB;
      const rss = this.usage().rssMiB - this.#first.rssMiB;
      if (left.length === 0 && live <= liveMiB && rss <= rssMiB) {
        return figure(`  cleared: ${live.toFixed(1)} MiB alive, ${rss} MiB resident more`);
      }
      const held = left.map(([name, count]) => `${count} ${name}`).join(", ");
      assert(
        performance.now() < last,
        `the node holds more than at its start: ${
          live.toFixed(1)
        } MiB alive, ${rss} resident; ${held}`,
      );
      // A node that is asked stands still meanwhile, and its deadlines with it.
      await delay(Math.max(100, performance.now() - asked));
    }
  }

  /** Fails if the process has ended. */
  assertAlive(): void {
    assert(this.#ended === undefined, `the node has ended: ${JSON.stringify(this.#ended)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.#ended;
    if (ended === undefined) this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#lines.cancel();
    await this.#questions.abort().catch(() => {});
    const log = await this.#log.whole();
    if (this.#quiet) assertEquals(log, "", "the node has logged something");
    assert(ended === undefined, `the node had ended: ${JSON.stringify(ended)}`);
  }
}

/**
 * The tests of one name, one for each server, with a node of its own that is started with `options`.
 * When a test is over, the node may keep only what `remains` allows.
 */
export function onEachNode(
  name: string,
  test: (node: MeasuredNode) => Promise<void>,
  options: HubServerOptions = {},
  remains: (server: string) => Remains = () => ({}),
): Deno.TestDefinition[] {
  return Object.keys(HOSTS).map((server) => ({
    name: `${name}, on ${server}`,
    fn: async () => {
      await using node = await MeasuredNode.start(server, options);
      await test(node);
      await node.cleared(remains(server));
    },
  }));
}
