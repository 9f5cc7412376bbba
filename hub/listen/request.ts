import type { IncomingMessage } from "node:http";

/** What a host may consist of: no path, query, user or white space. */
const HOST = /^[\w.:[\]%~!$&'()*+,;=-]+$/;

/** Takes what a request of `node:http` asks for. */
export interface RequestParts {
  /** What the URL begins with if that is configured; else the `Host` header says it. */
  readonly origin: string | undefined;
  /** `http` or `https`. */
  readonly scheme: string;
  /** The host of a request of HTTP/1.0 that names none. */
  readonly host: string;
  /** Aborted when the client goes before it was answered. */
  readonly signal: AbortSignal;
}

/** A request of `node:http` as the platform's; `undefined` if its target, host or method is none. */
export function requestOf(message: IncomingMessage, parts: RequestParts): Request | undefined {
  const url = urlOf(message, parts);
  if (url === undefined) return undefined;
  const { method = "GET" } = message;
  const body = method === "GET" || method === "HEAD" ? null : bodyOf(message);
  try {
    const { signal } = parts;
    const headers = headersOf(message.rawHeaders);
    // Node wants `duplex` for a body that is a stream; the types do not know it everywhere.
    const init: RequestInit & { duplex: "half" } = {
      method,
      headers,
      body,
      signal,
      duplex: "half",
    };
    return new Request(url, init);
  } catch {
    // Such as the method TRACE.
    return undefined;
  }
}

function urlOf(
  { url: target = "", headers }: IncomingMessage,
  { origin, scheme, host }: RequestParts,
): string | undefined {
  const named = headers.host ?? host;
  if (!HOST.test(named)) return undefined;
  const base = origin ?? `${scheme}://${named}`;
  // As to a proxy: with an absolute URL, of which only the path can matter.
  const absolute = /^https?:\/\/[^/?#]*(.*)$/i.exec(target);
  const path = absolute === null ? target : absolute[1]?.replace(/^(?!\/)/, "/") ?? "/";
  if (!path.startsWith("/")) return undefined;
  const url = base + path;
  return URL.canParse(url) ? url : undefined;
}

function headersOf(raw: readonly string[]): Headers {
  const headers = new Headers();
  for (let i = 0; i + 1 < raw.length; i += 2) headers.append(raw[i] ?? "", raw[i + 1] ?? "");
  return headers;
}

/** The body, read from the socket no faster than it is taken. */
function bodyOf(message: IncomingMessage): ReadableStream<Uint8Array<ArrayBuffer>> | null {
  const { headers } = message;
  const length = headers["content-length"];
  if (headers["transfer-encoding"] === undefined && Number(length ?? 0) === 0) return null;
  let ended = false;
  return new ReadableStream({
    start(controller) {
      message.pause();
      message.on("data", (chunk: Uint8Array<ArrayBuffer>) => {
        if (ended) return;
        message.pause();
        controller.enqueue(chunk);
      });
      message.once("end", () => {
        if (!ended) controller.close();
        ended = true;
      });
      // Also when the client has gone in the middle.
      message.once("close", () => {
        if (!ended) controller.error(new TypeError("The body of the request broke off"));
        ended = true;
      });
    },
    pull() {
      message.resume();
    },
    cancel() {
      ended = true;
    },
  }, { highWaterMark: 0 });
}
