import { clientFrame, OPCODE } from "../frames.ts";
import { EMPTY_TOKEN } from "../tokens.ts";
import { type Call, type Dialect, isAnswered, namesOf, type Opening, upgrade } from "./dialect.ts";

/** The protocol of the hub that is written by hand: each message is a JSON array. */
export const byHand: Dialect = {
  *open(host: string): Opening {
    yield { http: upgrade("/", host) };
    const hello = yield { frame: undefined };
    return JSON.parse(hello).id;
  },

  call(call: Call, payload: string): Uint8Array<ArrayBuffer> {
    // An answer repeats the last item.
    const last = isAnswered(call) && call.method !== "echo" ? EMPTY_TOKEN : payload;
    return clientFrame(JSON.stringify([call.method, last, ...namesOf(call)]), OPCODE.text);
  },
};
