import { assert, assertEquals } from "@std/assert";
import { deadline } from "@std/async";
import type { HubServerOptions } from "@hubplane/hubplane";
import { HOSTS } from "../servers/hosts.ts";
import { TextLineStream } from "../servers/text_lines.ts";

/** What a process takes, from `/proc`. */
export interface Usage {
  /** Resident memory in MiB. */
  readonly rssMiB: number;
  /** Open descriptors. */
  readonly descriptors: number;
}

/** What Deno says once to whoever listens to `request.signal`. */
const NOTICE = /^Deno\.serve: request\.signal aborts on successful responses/;

/** How long a node may take to start, in milliseconds. */
const PATIENCE = 30_000;

/** A node in a process of its own; it must live, and have logged nothing, when it is disposed of. */
export class MeasuredNode implements AsyncDisposable {
  /** Which server it runs behind. */
  readonly server: string;
  readonly port: number;
  readonly #child: Deno.ChildProcess;
  readonly #log: Promise<string>;
  #ended: Deno.CommandStatus | undefined;

  private constructor(
    server: string,
    port: number,
    child: Deno.ChildProcess,
    log: Promise<string>,
  ) {
    this.server = server;
    this.port = port;
    this.#child = child;
    this.#log = log;
    child.status.then((status) => this.#ended = status);
  }

  /** Starts it and waits until it listens. */
  static async start(server: string, options: HubServerOptions = {}): Promise<MeasuredNode> {
    const program = new URL("./node.ts", import.meta.url).pathname;
    const flags = ["--allow-net", "--allow-env", "--quiet", "--v8-flags=--expose-gc"];
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", ...flags, program, server, JSON.stringify(options)],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const log = new Response(child.stderr).text();
    const lines = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    const { value } = await deadline(lines.read(), PATIENCE);
    await lines.cancel();
    if (value === undefined) throw new Error(`Cannot start node: ${await log}`);
    return new MeasuredNode(server, Number(value), child, log);
  }

  /** What it takes now. */
  usage(): Usage {
    this.assertAlive();
    const status = Deno.readTextFileSync(`/proc/${this.#child.pid}/status`);
    const rss = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
    const descriptors = [...Deno.readDirSync(`/proc/${this.#child.pid}/fd`)].length;
    return { rssMiB: Math.round(rss), descriptors };
  }

  /** Fails if the process has ended. */
  assertAlive(): void {
    assert(this.#ended === undefined, `the node has ended: ${JSON.stringify(this.#ended)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.#ended;
    if (ended === undefined) this.#child.kill("SIGKILL");
    await this.#child.status;
    const log = (await this.#log).split("\n").filter((line) => !NOTICE.test(line)).join("\n");
    assertEquals(log, "", "the node has logged something");
    assert(ended === undefined, `the node had ended: ${JSON.stringify(ended)}`);
  }
}

/** Registers a test for every server: a node of its own, started with `options`. */
export function onEachNode(
  name: string,
  test: (node: MeasuredNode) => Promise<void>,
  options: HubServerOptions = {},
): void {
  for (const server of Object.keys(HOSTS)) {
    Deno.test(`${name}, on ${server}`, async () => {
      await using node = await MeasuredNode.start(server, options);
      await test(node);
    });
  }
}
