import { clientFrame, OPCODE } from "../frames.ts";
import { EMPTY_TOKEN } from "../tokens.ts";
import { type Call, type Dialect, isAnswered, namesOf, type Opening, upgrade } from "./dialect.ts";

/** Engine.IO's packet types as the first byte of a message. */
const PING = 0x32;
const PONG = clientFrame("3", OPCODE.text);

/** Socket.IO 4 over Engine.IO's WebSocket transport, without an HTTP request before it. */
export const socketIo: Dialect = {
  *open(host: string): Opening {
    yield { http: upgrade("/socket.io/?EIO=4&transport=websocket", host) };
    const opened = yield { frame: undefined };
    if (!opened.startsWith("0")) throw new Error(`Cannot open Engine.IO: ${opened}`);
    const connected = yield { frame: clientFrame("40", OPCODE.text) };
    if (!connected.startsWith("40")) throw new Error(`Cannot connect Socket.IO: ${connected}`);
    return JSON.parse(connected.slice(2)).sid;
  },

  call(call: Call, payload: string): Uint8Array<ArrayBuffer> {
    const answered = isAnswered(call);
    // An answer repeats the argument of its event.
    const last = answered && call.method !== "echo" ? EMPTY_TOKEN : payload;
    const event = JSON.stringify([call.method, ...namesOf(call), last]);
    return clientFrame(`42${answered ? 1 : ""}${event}`, OPCODE.text);
  },

  answer: (bytes, start, end) => end - start === 1 && bytes[start] === PING ? PONG : undefined,
};
