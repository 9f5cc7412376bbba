import { MAXIMUM_PART_BYTES, MAXIMUM_PARTS, type MoveState } from "../bus/move_messages.ts";

/** How many bytes of states that are not whole are kept, and for how long after the last part, in milliseconds. */
const MAXIMUM_BYTES = 16 * 1024 * 1024;
const KEPT = 5000;
/** What a part counts beside its bytes. */
const PART_BYTES = 256;

/** What all parts of a state have in common. */
export type StateAddress = Omit<MoveState, "kind" | "part" | "parts" | "bytes">;

/** The parts of a state; `undefined` if it is too large to move. */
export function partsOf(address: StateAddress, state: Uint8Array): MoveState[] | undefined {
  const parts = Math.max(1, Math.ceil(state.length / MAXIMUM_PART_BYTES));
  if (parts > MAXIMUM_PARTS) return undefined;
  return Array.from({ length: parts }, (_, part) => {
    const start = part * MAXIMUM_PART_BYTES;
    const bytes = state.subarray(start, start + MAXIMUM_PART_BYTES);
    return { kind: "moveState", ...address, part, parts, bytes };
  });
}

interface Incomplete {
  readonly parts: (Uint8Array | undefined)[];
  missing: number;
  bytes: number;
  at: number;
}

/** Joins the parts of states, which come in any order and more than once. */
export class StateParts {
  /** The one whose part came longest ago is the first. */
  readonly #incomplete = new Map<string, Incomplete>();
  #bytes = 0;

  /** Adds a part of the state `key`; returns a copy of the whole state when no part is missing. */
  add(key: string, { part, parts, bytes }: MoveState, now: number): Uint8Array | undefined {
    if (parts === 1) return bytes.slice();
    this.forgetOld(now);
    let state = this.#incomplete.get(key);
    if (state?.parts.length !== parts) {
      this.delete(key);
      state = { parts: new Array(parts).fill(undefined), missing: parts, bytes: 0, at: now };
    }
    if (state.parts[part] === undefined) {
      const counted = bytes.length + PART_BYTES;
      // What there is no room for is sent again.
      if (this.#bytes + counted > MAXIMUM_BYTES) return undefined;
      state.parts[part] = bytes.slice();
      state.missing--;
      state.bytes += counted;
      this.#bytes += counted;
    }
    state.at = now;
    this.#incomplete.delete(key);
    this.#incomplete.set(key, state);
    return state.missing > 0 ? undefined : joined(state.parts);
  }

  /** Forgets the parts of a state. */
  delete(key: string): void {
    this.#bytes -= this.#incomplete.get(key)?.bytes ?? 0;
    this.#incomplete.delete(key);
  }

  /** Forgets states of which no part has come for long. */
  forgetOld(now: number): void {
    for (const [key, { at }] of this.#incomplete) {
      if (now - at < KEPT) return;
      this.delete(key);
    }
  }
}

function joined(parts: readonly (Uint8Array | undefined)[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + (part?.length ?? 0), 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part ?? [], at);
    at += part?.length ?? 0;
  }
  return whole;
}
