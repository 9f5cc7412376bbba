import { assertEquals } from "@std/assert";
import { HubPeer, type PeerOptions } from "../../kit/hub_peer.ts";
import { type Answer, frameOf, joined, type ProtocolName } from "../../kit/wire_format.ts";

/** One line of a table: what is sent to a hub with detailed errors, and what that says. */
export interface Row {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The answers; none if nothing is said and the connection goes on. */
  readonly answers?: readonly Answer[];
  /** Behind `Connection closed with an error. `, if the connection is closed. */
  readonly closed?: string;
}

/** Names that any object or function of JavaScript has, whether or not anybody gave them to it. */
export const INHERITED: readonly string[] = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "valueOf",
  "hasOwnProperty",
  "__defineGetter__",
];

/** What shows that a connection goes on. */
const MARK = { type: 1, invocationId: "mark", target: "inspect", arguments: ["mark"] };
const MARKED: Answer = { type: 3, invocationId: "mark", result: '"mark"' };

/** Sends a row on a connection of its own, and compares. */
export async function tryRow(
  port: number,
  protocol: ProtocolName,
  row: Row,
  options: PeerOptions = {},
): Promise<void> {
  using peer = await HubPeer.open(port, protocol, options);
  const { name, bytes, answers = [], closed } = row;
  await peer.send(closed === undefined ? joined(bytes, frameOf(protocol, MARK)) : bytes);
  const received: (Answer | undefined)[] = [];
  for (let left = answers.length + (closed === undefined ? 1 : 0); left > 0; left--) {
    received.push(await peer.next());
  }
  // An upload is answered when its method has read it, which others may overtake.
  if (closed === undefined) {
    const marked = received.findIndex((answer) => answer?.invocationId === "mark");
    assertEquals(received.splice(marked, 1), [MARKED], `${protocol}: ${name}`);
  }
  assertEquals(received, [...answers], `${protocol}: ${name}`);
  if (closed === undefined) return await peer.leave();
  assertEquals(await peer.rest(), [], `${protocol}: ${name}`);
  const error = `Connection closed with an error. ${closed}`;
  const close: Answer = { type: 7, error, allowReconnect: true };
  assertEquals(peer.end, { close, code: 1000 }, `${protocol}: ${name}`);
}

/** A name of a client as error texts repeat it: at most 200 characters. */
export function repeated(name: string): string {
  return name.length > 200 ? `${name.slice(0, 199).toWellFormed()}…` : name;
}

/** The answer that a call was not begun. */
export function notInvoked(invocationId: string, target: string, detail: string): Answer {
  const error = `Failed to invoke '${repeated(target)}' due to an error on the server. ${detail}`;
  return { type: 3, invocationId, error };
}
