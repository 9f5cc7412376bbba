/**
 * How floods are sent, and how it is seen that they are bounded.
 *
 * @module
 */
import { figure } from "./figures.ts";
import { Opcode, type RawSocket } from "../../kit/socket.ts";
import type { Witness } from "./witness.ts";

/** Resolves when everything that was sent has been received: a pong comes behind it. */
export async function received(socket: RawSocket): Promise<void> {
  await socket.send(Opcode.Ping, "");
  for (let frame; (frame = await socket.next()) !== undefined;) {
    if (frame.opcode === Opcode.Pong) return;
    if (frame.opcode === Opcode.Close) break;
  }
  throw new Error("The connection has ended");
}

/**
 * Sends until the node has closed, while the witness is served between any two chunks; returns the last
 * message that the node sent.
 */
export async function sendAll(
  socket: RawSocket,
  witness: Witness,
  chunks: Iterable<Uint8Array>,
): Promise<Uint8Array> {
  const reading = lastMessage(socket);
  for (const chunk of chunks) {
    const sending = socket.write(chunk).then(() => true, () => false);
    // It has been closed, as it should be; or nobody reads what comes behind the close.
    const goesOn = await Promise.race([sending, reading.then(() => false)]);
    await witness.served();
    if (!goesOn) break;
  }
  return await witness.meanwhile(reading);
}

async function lastMessage(socket: RawSocket): Promise<Uint8Array> {
  let last: Uint8Array = new Uint8Array();
  for (let frame; (frame = await socket.next())?.opcode !== Opcode.Close;) {
    if (frame === undefined) break;
    if (frame.opcode <= Opcode.Binary) last = frame.payload;
  }
  return last;
}

/** Bytes in pieces of at most 4 MiB. */
export function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 2 ** 22) yield bytes.subarray(at, at + 2 ** 22);
}

/** Fails if the node goes on holding much more than before, while the peer is there. */
export async function costs(witness: Witness, before: number, what: string): Promise<void> {
  const grown = await witness.backTo(before, 6);
  figure(`${what}: ${grown.toFixed(1)} MiB`);
}

/** What was taken of a flood, in bytes; that goes on until all of it is, or its connection ends. */
export class Flood {
  taken = 0;
  readonly done: Promise<boolean>;

  constructor(socket: RawSocket, messages: Iterable<Uint8Array>) {
    this.done = this.#send(socket, messages).then(() => true, () => false);
  }

  /** Resolves when no more is taken while the witness is served many times. */
  async stops(witness: Witness): Promise<void> {
    for (let taken = -1; taken !== this.taken;) {
      taken = this.taken;
      for (let times = 0; times < 30; times++) await witness.served();
    }
  }

  async #send(socket: RawSocket, messages: Iterable<Uint8Array>): Promise<void> {
    for (const message of messages) {
      await socket.send(Opcode.Binary, message);
      this.taken += message.length;
    }
  }
}
