import { dial, TcpReader, writeAll } from "./tcp.ts";
import { bounded } from "./wait.ts";

/** A request as it is written. */
export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
}

/** An answer as it was read; names of headers in lower case. */
export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a request was answered, as far as most tests look. */
export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

const encoder = new TextEncoder();

/** The bytes of a request. */
export function requestBytes(
  { method, path, headers = {}, body }: RawRequest,
): Uint8Array<ArrayBuffer> {
  const lines = [`${method} ${path} HTTP/1.1`];
  const sent: Record<string, string> = { host: "localhost", ...headers };
  if (body !== undefined) sent["content-length"] = `${encoder.encode(body).length}`;
  for (const [name, value] of Object.entries(sent)) lines.push(`${name}: ${value}`);
  return encoder.encode(`${lines.join("\r\n")}\r\n\r\n${body ?? ""}`);
}

/** Reads an answer; `hasBody` is false for the answer to HEAD and for 101. */
export async function readResponse(reader: TcpReader, hasBody: boolean): Promise<RawResponse> {
  const head = await reader.takeUntil("\r\n\r\n");
  if (head === undefined) throw new Error("Cannot read response: the connection ended");
  const [start = "", ...lines] = head.split("\r\n");
  const [, status, reason = ""] = /^HTTP\/1\.1 (\d+) ?(.*)$/.exec(start) ?? [];
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [name = "", ...value] = line.split(":");
    headers[name.toLowerCase()] = value.join(":").trim();
  }
  const upgraded = status === "101" || !hasBody;
  const body = upgraded ? "" : await readBody(reader, headers);
  return { status: Number(status), reason, headers, body };
}

async function readBody(reader: TcpReader, headers: Record<string, string>): Promise<string> {
  const decoder = new TextDecoder();
  if (headers["transfer-encoding"] !== "chunked") {
    const length = headers["content-length"];
    const body = length === undefined ? await reader.takeAll() : await reader.take(Number(length));
    return decoder.decode(body);
  }
  let body = "";
  for (;;) {
    const size = parseInt(await reader.takeUntil("\r\n") ?? "0", 16);
    body += decoder.decode(await reader.take(size), { stream: true });
    await reader.takeUntil("\r\n");
    if (size === 0) return body;
  }
}

/** Sends one request on a connection of its own and reads the answer. */
export async function rawFetch(port: number, request: RawRequest): Promise<RawResponse> {
  using connection = await dial(port);
  const headers = { ...request.headers, connection: "close" };
  await writeAll(connection, requestBytes({ ...request, headers }));
  return await readResponse(new TcpReader(connection), request.method !== "HEAD");
}

/** Sends a request with `fetch`. */
export async function ask(url: string, init: RequestInit = {}): Promise<HttpAnswer> {
  const what = `${init.method ?? "GET"} ${url}`;
  const response = await bounded(fetch(url, init), `an answer to ${what}`);
  return { status: response.status, text: await bounded(response.text(), `the body of ${what}`) };
}
