/**
 * A measured node and raw peers for it.
 *
 * @module
 */
import { TextLineStream } from "./line_stream.ts";

/** What a process takes, from `/proc`. */
export interface Usage {
  /** Resident memory in MiB. */
  readonly rssMiB: number;
  /** Open descriptors. */
  readonly descriptors: number;
}

/** A node in a process of its own. */
export class MeasuredNode implements AsyncDisposable {
  readonly port: number;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Starts it and waits until it listens. */
  static async start(): Promise<MeasuredNode> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-net", "--quiet", new URL("./node.ts", import.meta.url).pathname],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(
      new TextLineStream(),
    ).getReader();
    const { value } = await lines.read();
    await lines.cancel();
    return new MeasuredNode(child, Number(value));
  }

  /** What it takes now. */
  usage(): Usage {
    const status = Deno.readTextFileSync(`/proc/${this.#child.pid}/status`);
    const rss = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
    const descriptors = [...Deno.readDirSync(`/proc/${this.#child.pid}/fd`)].length;
    return { rssMiB: Math.round(rss), descriptors };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}

const encoder = new TextEncoder();

/** A masked WebSocket text frame, as a client sends it. */
export function maskedText(text: string): Uint8Array<ArrayBuffer> {
  const payload = encoder.encode(text);
  const head = payload.length < 126
    ? [0x81, 0x80 | payload.length]
    : [0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff];
  // A mask of zeros leaves the payload as it is.
  return new Uint8Array([...head, 0, 0, 0, 0, ...payload]);
}

/** Opens a WebSocket by hand and shakes hands; the caller reads, or does not. */
export async function openRaw(port: number): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const lines = [
    "GET /hub HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
  ];
  await write(connection, encoder.encode(lines.join("\r\n") + "\r\n\r\n"));
  await connection.read(new Uint8Array(1024));
  await write(connection, maskedText('{"protocol":"json","version":1}\x1e'));
  return connection;
}

/** Writes all of it. */
export async function write(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** An invocation of the hub, framed. */
export function invocation(target: string, ...args: unknown[]): string {
  return JSON.stringify({ type: 1, target, arguments: args }) + "\x1e";
}
