import { encode } from "@msgpack/msgpack";
import { clientFrame, OPCODE } from "../frames.ts";
import { EMPTY_TOKEN } from "../tokens.ts";
import {
  type Call,
  type Dialect,
  isAnswered,
  namesOf,
  type Opening,
  request,
  upgrade,
} from "./dialect.ts";

const RECORD_SEPARATOR = "\x1e";

type Arguments = readonly string[];

/** The messages that a hub protocol must be able to write. */
interface HubProtocol {
  readonly name: string;
  readonly ping: Uint8Array<ArrayBuffer>;
  invocation(
    target: string,
    args: Arguments,
    invocationId: string | undefined,
  ): Uint8Array<ArrayBuffer>;
}

const json: HubProtocol = {
  name: "json",
  ping: clientFrame(`{"type":6}${RECORD_SEPARATOR}`, OPCODE.text),
  invocation: (target, args, invocationId) =>
    clientFrame(
      JSON.stringify({ type: 1, invocationId, target, arguments: args }) + RECORD_SEPARATOR,
      OPCODE.text,
    ),
};

/** A MessagePack record of less than 16 KiB. */
function pack(message: readonly unknown[]): Uint8Array<ArrayBuffer> {
  const body = encode(message);
  const prefix = body.length < 128 ? [body.length] : [body.length & 127 | 128, body.length >> 7];
  return clientFrame(Uint8Array.from([...prefix, ...body]), OPCODE.binary);
}

const messagepack: HubProtocol = {
  name: "messagepack",
  ping: pack([6]),
  invocation: (target, args, invocationId) => pack([1, {}, invocationId ?? null, target, args, []]),
};

/** The official SignalR protocols, as `@microsoft/signalr` speaks them over WebSockets. */
class SignalR implements Dialect {
  readonly keepAlive: Uint8Array<ArrayBuffer>;
  readonly #protocol: HubProtocol;

  constructor(protocol: HubProtocol) {
    this.#protocol = protocol;
    this.keepAlive = protocol.ping;
  }

  *open(host: string): Opening {
    const answer = yield { http: request("POST", "/hub/negotiate?negotiateVersion=1", host) };
    const { connectionId, connectionToken } = JSON.parse(answer);
    yield { http: upgrade(`/hub?id=${connectionToken}`, host) };
    const handshake = JSON.stringify({ protocol: this.#protocol.name, version: 1 });
    const response = yield { frame: clientFrame(handshake + RECORD_SEPARATOR, OPCODE.text) };
    if (!response.startsWith("{}")) throw new Error(`Cannot shake hands: ${response}`);
    return connectionId;
  }

  call(call: Call, payload: string): Uint8Array<ArrayBuffer> {
    const args = [...namesOf(call)];
    const answered = isAnswered(call);
    if (call.method === "echo") args.push(payload.replaceAll("~", "x"));
    else if (!answered) args.push(payload);
    return this.#protocol.invocation(call.method, args, answered ? EMPTY_TOKEN : undefined);
  }
}

/** SignalR with the JSON hub protocol. */
export const signalRJson: Dialect = new SignalR(json);

/** SignalR with the MessagePack hub protocol. */
export const signalRMessagePack: Dialect = new SignalR(messagepack);
