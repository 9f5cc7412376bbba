import { assert, assertEquals } from "@std/assert";
import { bounded, until } from "../../kit/wait.ts";
import { hex, unhex } from "../../kit/hex.ts";
import { EventRecords } from "./event_records.ts";
import { Placeholders } from "./placeholders.ts";
import { jsonRecords } from "./records.ts";
import { RawSocket } from "../../kit/socket.ts";
import { COMPARED_HEADERS } from "./replay.ts";
import type { ReceiveStep, SendStep, Step, Transcript } from "./transcripts.ts";
import type { WireNode } from "./wire_node.ts";

const HANDSHAKE = '{"protocol":"json","version":1}\x1e';

/** An answer, as far as it is compared. */
interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

/** A request that was sent. */
interface Exchange {
  readonly label: string | undefined;
  readonly answer: Promise<Answer>;
}

/** As `Replay`, for transcripts of connections that are made of HTTP requests. */
export class HttpReplay implements AsyncDisposable {
  readonly #node: WireNode;
  readonly #placeholders = new Placeholders();
  readonly #exchanges: Exchange[] = [];
  #events: EventRecords | undefined;
  /** Where the connection is: path and token. */
  #place = "";

  constructor(node: WireNode) {
    this.#node = node;
  }

  /** Runs `steps` of a transcript. */
  async run(_transcript: Transcript, steps: readonly Step[]): Promise<void> {
    for (const { setup, wait, send, receive } of steps) {
      if (setup !== undefined) await this.#setUp(setup);
      if (wait !== undefined) await this.#gone();
      if (send !== undefined) await this.#send(send);
      if (receive !== undefined) await this.#receive(receive);
    }
    assertEquals(this.#exchanges.map(({ label }) => label), [], "answers that nobody expected");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#events?.cancel();
  }

  async #setUp(setup: string): Promise<void> {
    const [, path, names] = /^POST (\S+) gave (.*)$/.exec(setup) ?? [];
    if (path !== undefined && names !== undefined) {
      const response = await this.#fetch(path, { method: "POST" });
      this.#placeholders.take(names, await response.text());
      const token = this.#placeholders.fill("{connectionToken}");
      this.#place = `${path.split("/negotiate")[0]}?id=${token}`;
      return;
    }
    assert(setup.startsWith("first poll, handshake json version 1, second poll"), setup);
    for (const request of [{}, { method: "POST", body: HANDSHAKE }, {}]) {
      const response = await this.#fetch(this.#place, request);
      assertEquals(response.status, 200);
      await response.body?.cancel();
    }
  }

  /** Resolves when the server has forgotten the connection. */
  async #gone(): Promise<void> {
    await until(async () => {
      const response = await this.#fetch(this.#place, { method: "POST" });
      await response.body?.cancel();
      return response.status === 404;
    });
  }

  async #send(step: SendStep): Promise<void> {
    if (step.tcp === "close") {
      await this.#events?.cancel();
      this.#events = undefined;
      return await this.#gone();
    }
    const { method, label, upgrade } = step;
    const path = this.#placeholders.fill(step.path ?? "");
    if (!path.includes("/negotiate")) this.#place = path;
    const answer = upgrade === undefined ? this.#request(path, step) : this.#upgradeAnswer(path);
    this.#exchanges.push({ label, answer });
    if (method === "GET" && label !== undefined) await this.#arrived();
  }

  async #request(path: string, { method, headers, body, bodyHex }: SendStep): Promise<Answer> {
    const init: RequestInit = { method: method ?? "GET", headers: { ...headers } };
    if (body !== undefined) init.body = body;
    if (bodyHex !== undefined) init.body = unhex(bodyHex);
    const response = await this.#fetch(path, init);
    const streams = response.headers.get("content-type") === "text/event-stream";
    if (streams && response.body !== null) this.#events = new EventRecords(response.body);
    const bytes = streams ? new Uint8Array() : await response.bytes();
    return { status: response.status, headers: response.headers, bytes };
  }

  /** Lets a poll that will wait arrive before what is sent next. */
  async #arrived(): Promise<void> {
    for (let n = 0; n < 5; n++) {
      const response = await this.#fetch(this.#place, { method: "POST" });
      await response.body?.cancel();
    }
  }

  async #receive(step: ReceiveStep): Promise<void> {
    if (step.chunk !== undefined) return await this.#stream().compare(step.chunk);
    if (step.sse !== undefined) return await this.#stream().ended();
    const at = this.#exchanges.findIndex(({ label }) => label === step.label);
    const [exchange] = this.#exchanges.splice(at, 1);
    assert(at >= 0 && exchange !== undefined, "no request was sent");
    this.#compare(step, await bounded(exchange.answer));
  }

  #compare(step: ReceiveStep, { status, headers, bytes }: Answer): void {
    assertEquals(status, step.status);
    for (const name of COMPARED_HEADERS) {
      assertEquals(headers.get(name) ?? undefined, step.headers?.[name], name);
    }
    // Elsewhere the platform may compress; what must not be changed on its way says so.
    const encoding = step.headers?.["content-encoding"];
    if (encoding !== undefined) assertEquals(headers.get("content-encoding"), encoding);
    if (step.bodyHex !== undefined) return assertEquals(hex(bytes), step.bodyHex);
    const text = new TextDecoder().decode(bytes);
    const { body = "" } = step;
    if (body.endsWith("\x1e")) assertEquals(jsonRecords(text), jsonRecords(body));
    else if (body.startsWith("{")) this.#placeholders.compare(text, body);
    else assertEquals(text, body);
  }

  #stream(): EventRecords {
    assert(this.#events !== undefined, "no event stream is open");
    return this.#events;
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    return await fetch(`http://127.0.0.1:${await this.#node.portOf(path)}${path}`, init);
  }

  async #upgradeAnswer(path: string): Promise<Answer> {
    const { response, socket } = await RawSocket.request(await this.#node.portOf(path), path);
    socket?.[Symbol.dispose]();
    return {
      status: response.status,
      headers: new Headers(response.headers),
      bytes: new TextEncoder().encode(response.body),
    };
  }
}
