import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Writable } from "node:stream";
import { clearImmediate, clearTimeout, setImmediate, setTimeout } from "node:timers";

/** How long a client may take to accept the bytes that are ready, up to 128 KiB, in milliseconds. */
const SEND_TIMEOUT = 30_000;

/** Headers that belong to a connection and not to an answer. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

type Body = ReadableStream<Uint8Array>;

/** Sends an answer; resolves when the answer has left this process, or the client has gone. */
export async function send(
  response: Response,
  target: ServerResponse,
  head: boolean,
): Promise<void> {
  target.statusCode = response.status;
  if (response.statusText !== "") target.statusMessage = response.statusText;
  for (const [name, value] of headerLines(response)) target.appendHeader(name, value);
  const body = await bodyToSend(response, head);
  if (body === undefined) target.end();
  else await sendBody(body, target, () => target.flushHeaders());
}

/** Sends an answer to a request to upgrade, and ends the socket, which `node:http` has handed over. */
export async function sendRaw(response: Response, socket: Writable, head: boolean): Promise<void> {
  const { status, statusText } = response;
  const reason = statusText || (STATUS_CODES[status] ?? "");
  const body = await bodyToSend(response, head);
  const lines = [`HTTP/1.1 ${status} ${reason}`, `date: ${new Date().toUTCString()}`];
  for (const [name, value] of headerLines(response)) lines.push(`${name}: ${value}`);
  if (body === undefined && !response.headers.has("content-length")) {
    lines.push("content-length: 0");
  }
  socket.write(`${lines.join("\r\n")}\r\nconnection: close\r\n\r\n`, "latin1");
  if (body === undefined) socket.end();
  else await sendBody(body, socket, () => {});
}

function headerLines({ headers }: Response): [name: string, value: string][] {
  return [...headers].filter(([name]) => !HOP_BY_HOP.has(name));
}

async function bodyToSend({ status, body }: Response, head: boolean): Promise<Body | undefined> {
  if (body === null) return undefined;
  if (!head && status !== 204 && status !== 205 && status !== 304) return body;
  await body.cancel();
  return undefined;
}

async function sendBody(body: Body, target: Writable, flush: () => void): Promise<void> {
  const reader = body.getReader();
  const gone = () => void reader.cancel().catch(() => {});
  if (target.destroyed) return gone();
  target.once("close", gone);
  // Head and first chunk leave together, unless the chunk takes time.
  const flushing = setImmediate(flush);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      clearImmediate(flushing);
      if (target.destroyed) return;
      if (done) break;
      if (!target.write(value)) await taken(target, "drain");
    }
    target.off("close", gone);
    target.end();
    if (target.writableLength > 0) await taken(target, "finish");
  } catch {
    // Without the end of the answer, the client notices that it is incomplete.
    clearImmediate(flushing);
    target.destroy();
  }
}

/** Resolves when `event` reports that the client has taken the bytes, or the socket is gone. */
function taken(target: Writable, event: "drain" | "finish"): Promise<void> {
  if (target.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      target.off(event, over);
      target.off("close", over);
      resolve();
    };
    const timer = setTimeout(() => target.destroy(), SEND_TIMEOUT);
    target.once(event, over);
    target.once("close", over);
  });
}
