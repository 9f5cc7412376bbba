import { deadline } from "@std/async";
import { dial, writeAll } from "../../kit/tcp.ts";
import { type Answer, type ProtocolName, readAnswers } from "../../kit/wire_format.ts";

/** The longest that an answer may take here, in milliseconds: a bound, not a claim. */
const PATIENCE = 20_000;

const encoder = new TextEncoder();

/** What a request was answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/** What is answered to a token that nobody has. */
export const NOBODY: HttpAnswer = { status: 404, text: "No Connection with that ID" };

/** A call of `inspect` as it is posted. */
export function inspecting(id: number | string, value: unknown): string {
  const message = { type: 1, invocationId: `${id}`, target: "inspect", arguments: [value] };
  return `${JSON.stringify(message)}\x1e`;
}

/** Its answer. */
export function inspected(id: number | string, result: string): string {
  return `${JSON.stringify({ type: 3, invocationId: `${id}`, result })}\x1e`;
}

/** Sends a request with `fetch`. */
export async function ask(url: string, init: RequestInit = {}): Promise<HttpAnswer> {
  const response = await deadline(fetch(url, init), PATIENCE);
  return { status: response.status, text: await deadline(response.text(), PATIENCE) };
}

/** A connection by long polling, request by request. */
export class PollingPeer {
  /** Its URL, with the token. */
  readonly url: string;

  private constructor(url: string) {
    this.url = url;
  }

  /** One that was negotiated; `query` comes with every request, as `&user=ann`. */
  static async negotiate(port: number, query = ""): Promise<PollingPeer> {
    const hub = `http://127.0.0.1:${port}/hub`;
    const { text } = await ask(`${hub}/negotiate?negotiateVersion=1${query}`, { method: "POST" });
    return new PollingPeer(`${hub}?id=${JSON.parse(text).connectionToken}${query}`);
  }

  /** One that has shaken hands. */
  static async connect(
    port: number,
    query = "",
    protocol: ProtocolName = "json",
  ): Promise<PollingPeer> {
    const peer = await PollingPeer.negotiate(port, query);
    await peer.poll();
    await peer.post(`{"protocol":"${protocol}","version":1}\x1e`);
    const { text } = await peer.poll();
    if (text === "{}\x1e") return peer;
    throw new Error(`Cannot shake hands: ${text}`);
  }

  poll(): Promise<HttpAnswer> {
    return ask(this.url);
  }

  /** What a poll brings of a protocol. */
  async answers(protocol: ProtocolName): Promise<Answer[]> {
    const response = await deadline(fetch(this.url), PATIENCE);
    return readAnswers(protocol, await deadline(response.bytes(), PATIENCE));
  }

  post(body: BodyInit): Promise<HttpAnswer> {
    return ask(this.url, { method: "POST", body });
  }

  delete(): Promise<HttpAnswer> {
    return ask(this.url, { method: "DELETE" });
  }
}

/** Sends bytes on a connection of their own, and ends it; returns the statuses of what was answered. */
export async function sendRaw(port: number, bytes: Uint8Array | string): Promise<number[]> {
  using connection = await dial(port);
  let text = "";
  try {
    await writeAll(connection, typeof bytes === "string" ? encoder.encode(bytes) : bytes);
    await connection.closeWrite();
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65_536);
    for (let read; (read = await deadline(connection.read(buffer), PATIENCE)) !== null;) {
      text += decoder.decode(buffer.subarray(0, read), { stream: true });
    }
  } catch (error) {
    // A reset is an end as well.
    if (
      !(error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe)
    ) {
      throw error;
    }
  }
  return [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status));
}
