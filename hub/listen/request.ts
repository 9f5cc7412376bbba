import type { IncomingMessage } from "node:http";

/** The characters of a host: no path, query, user or white space. */
const HOST = /^[\w.:[\]%~!$&'()*+,;=-]+$/;

/** The parts of a request that are not in its message. */
export interface RequestParts {
  /** The configured beginning of the URL; without it, the `Host` header is used. */
  readonly origin: string | undefined;
  /** `http` or `https`. */
  readonly scheme: string;
  /** The host of an HTTP/1.0 request without a `Host` header. */
  readonly host: string;
  /** Aborted when the client leaves before its request is answered. */
  readonly signal: AbortSignal;
}

/** Converts a request of `node:http`; `undefined` if its target, host or method is not valid. */
export function requestOf(message: IncomingMessage, parts: RequestParts): Request | undefined {
  const url = urlOf(message, parts);
  if (url === undefined) return undefined;
  const { method = "GET" } = message;
  const body = method === "GET" || method === "HEAD" ? null : bodyOf(message);
  try {
    const { signal } = parts;
    const headers = headersOf(message.rawHeaders);
    // Node requires `duplex` if the body is a stream; some types do not know the option.
    const init: RequestInit & { duplex: "half" } = {
      method,
      headers,
      body,
      signal,
      duplex: "half",
    };
    return new Request(url, init);
  } catch {
    // For example, the method is TRACE.
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
  // A target for a proxy is an absolute URL; only its path matters.
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

/** The body, read from the socket no faster than the application reads it. */
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
      // The client may also go in the middle of the body.
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
