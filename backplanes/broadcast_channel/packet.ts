/** The packets that instances post to each other on their BroadcastChannel. */

/** The fields that every packet has. */
interface Signed {
  readonly hubplane: 1;
  /** The instance that sent it. */
  readonly from: string;
  /** The number of the last post, this one included; 0 if there was none. */
  readonly number: number;
  /** When the last post before this packet was made: a date, see `shared_time.ts`. */
  readonly previous: number;
  /** No message in a later packet was published before this date. */
  readonly at: number;
}

/** Messages, in the order of their publishing; `names` and `payloads` go together. */
export interface Post extends Signed {
  readonly kind: "post";
  readonly names: readonly string[];
  readonly payloads: readonly Uint8Array[];
}

/** A sign of life: of an instance that opens and wants to hear from the others, lives, or closes. */
export interface Sign extends Signed {
  readonly kind: "hello" | "beat" | "bye";
  /** The pause between two of its signs, in milliseconds. */
  readonly interval: number;
}

/** Any packet. */
export type Packet = Post | Sign;

/** The longest name of an instance, in UTF-16 code units; an instance takes a UUID. */
const MAXIMUM_FROM = 64;
/** The longest pause between two signs that an instance may announce, in milliseconds. */
const MAXIMUM_INTERVAL = 60_000;

/** The fields of a packet, before anybody has looked at them. */
type Fields = { readonly [K in keyof Post | keyof Sign]?: unknown };

/** Whether `data` says that it is a packet: an application may post other things on the same channel. */
export function isOurs(data: unknown): data is Fields {
  return typeof data === "object" && data !== null && "hubplane" in data && data.hubplane === 1;
}

/** Whether every field of a packet is sound. A packet that is not can come from other code only. */
export function isPacket(fields: Fields): fields is Packet {
  const { kind, from, number, previous, at, interval, names, payloads } = fields;
  if (typeof from !== "string" || from.length > MAXIMUM_FROM) return false;
  if (!Number.isSafeInteger(number) || Number(number) < 0) return false;
  if (!Number.isFinite(previous) || !Number.isFinite(at)) return false;
  if (kind === "post") return number !== 0 && areMessages(names, payloads);
  if (kind !== "hello" && kind !== "beat" && kind !== "bye") return false;
  return typeof interval === "number" && interval > 0 && interval <= MAXIMUM_INTERVAL;
}

function areMessages(names: unknown, payloads: unknown): boolean {
  if (!Array.isArray(names) || !Array.isArray(payloads)) return false;
  if (names.length !== payloads.length) return false;
  // every() would skip the holes of an array.
  for (let index = 0; index < names.length; index++) {
    if (typeof names[index] !== "string" || !(payloads[index] instanceof Uint8Array)) return false;
  }
  return true;
}
