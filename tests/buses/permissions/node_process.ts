import { deadline } from "@std/async";

/** The longest a node may take to start, and a client to get its answer, in milliseconds. */
const TIMEOUT = 15_000;
/** What ends each record of the hub protocol. */
const SEPARATOR = "\x1e";

/** A node in a process of its own, with the permissions it was given and no others. */
export class NodeProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #port: number;

  private constructor(child: Deno.ChildProcess, port: number) {
    this.#child = child;
    this.#port = port;
  }

  /** Starts a node on the bus `url`; rejects with what it says if it cannot. */
  static async start(
    permissions: readonly string[],
    url: string,
    server = "fetch",
  ): Promise<NodeProcess> {
    const program = new URL("./node.ts", import.meta.url).href;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--quiet", ...permissions, program, url, server],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    const first = await deadline(firstText(child.stdout), TIMEOUT).catch((error) => {
      child.kill("SIGKILL");
      throw error;
    });
    if (/^\d+\n$/.test(first)) {
      await child.stderr.cancel();
      return new NodeProcess(child, Number(first));
    }
    const said = await new Response(child.stderr).text();
    await child.status;
    throw new Error(said);
  }

  /** Connects to it, has it send `text` to all, and resolves with what comes back. */
  async shout(text: string): Promise<unknown> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#port}/echo`);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    socket.onopen = () => {
      const call = JSON.stringify({ type: 1, target: "shout", arguments: [text] });
      socket.send(`{"protocol":"json","version":1}${SEPARATOR}${call}${SEPARATOR}`);
    };
    socket.onmessage = ({ data }) => {
      for (const record of String(data).split(SEPARATOR)) {
        if (record.includes('"target":"echo"')) resolve(JSON.parse(record).arguments);
      }
    };
    socket.onerror = () => reject(new Error("Cannot reach the node"));
    try {
      return await deadline(promise, TIMEOUT);
    } finally {
      const closed = new Promise((resolve) => socket.onclose = resolve);
      socket.close();
      await closed;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}

/** What comes first from `output`; it is not read any further. */
async function firstText(output: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  const reader = output.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value);
}
