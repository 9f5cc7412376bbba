/**
 * A second reading of `specs/signalr-wire.md §8.3`, over {@link PackCursor}: neither the server's own
 * code nor its codec takes part.
 *
 * @module
 */
import { type Heard, Offence, UNREADABLE } from "./heard.ts";
import { PackCursor, type Token, Unpackable } from "../../kit/pack_cursor.ts";
import { meant } from "./pack_meaning.ts";

const SERIALIZATION = "MessagePackSerializationException";
const DEEPEST = 64;
const NIL = 0xc0;
const ARRAYS: ReadonlySet<unknown> = new Set([
  ...Array.from({ length: 16 }, (_, count) => 0x90 + count),
  0xdc,
  0xdd,
]);
const textDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The message in a record, without its length; `undefined` if its type is not known. */
export function hearMessagePack(record: Uint8Array): Heard | undefined {
  const cursor = new PackCursor(record);
  const root = tokenOr(cursor, "Unexpected record: it is not an array.", SERIALIZATION, "array");
  const type = integer(cursor, "messageType", 32);
  return MESSAGES[type]?.(new Items(cursor, root.count));
}

/** The items of a message, as they come. Its count matters only where an item may be left out. */
class Items {
  readonly #cursor: PackCursor;
  readonly count: number;

  constructor(cursor: PackCursor, count: number) {
    this.#cursor = cursor;
    this.count = count;
  }

  headers(): { headers?: Record<string, string> } {
    const { count } = tokenOr(
      this.#cursor,
      "Reading map length for 'headers' failed.",
      undefined,
      "map",
    );
    const named: [string, string][] = [];
    for (let index = 0; index < count; index++) {
      const key = this.text(`headers[${index}].Key`);
      if (!key) throw new Offence("Null or empty key in header.");
      const value = this.text(`headers[${index}].Value`);
      if (!value) throw new Offence("Null or empty value in header.");
      named.push([key, value]);
    }
    return count === 0 ? {} : { headers: Object.fromEntries(named) };
  }

  /** `undefined` for nil. */
  text(field: string): string | undefined {
    return textOr(this.#cursor, `Reading '${field}' as String failed.`);
  }

  id(message: string): { invocationId: string } {
    const invocationId = this.text("invocationId");
    if (invocationId) return { invocationId };
    throw new Offence(`Null or empty invocation ID for ${message} message.`);
  }

  integer(field: string, bits: 32 | 64): number {
    return integer(this.#cursor, field, bits);
  }

  boolean(field: string): boolean {
    const failed = `Reading '${field}' as Boolean failed.`;
    return tokenOr(this.#cursor, failed, undefined, "boolean").value;
  }

  /** One that means nothing harms only who waits for it; one that is not whole is no message. */
  value(): unknown {
    try {
      this.#cursor.fork().skip();
    } catch {
      throw new Offence("A value is not whole.", SERIALIZATION);
    }
    try {
      return meant(this.#cursor, DEEPEST);
    } catch {
      return UNREADABLE;
    }
  }

  /** Missing or unreadable arguments are no offence; nothing behind them is read then. */
  arguments(): { arguments: unknown[]; bindingError?: string; streamIds?: string[] } {
    const failed = (bindingError: string) => ({ arguments: [], bindingError });
    if (this.count < 5 || !ARRAYS.has(this.#cursor.form)) {
      return failed("Reading array length for 'arguments' failed.");
    }
    try {
      // The list itself is one level more.
      const args = meant(this.#cursor, DEEPEST + 1) as unknown[];
      return { arguments: args, ...this.count > 5 && this.#streamIds() };
    } catch (error) {
      if (error instanceof Offence) throw error;
      return failed(
        "Error binding arguments. Make sure that the types of the provided values match the types " +
          "of the hub method being invoked.",
      );
    }
  }

  /** Some clients write nil for none. */
  #streamIds(): { streamIds?: string[] } {
    if (this.#cursor.form === NIL) return {};
    const failed = "Reading array length for 'streamIds' failed.";
    const { count } = tokenOr(this.#cursor, failed, undefined, "array");
    const streamIds: string[] = [];
    while (streamIds.length < count) {
      const id = textOr(this.#cursor, "A stream id is not a string.", SERIALIZATION);
      if (!id) throw new Offence("Null or empty value in streamIds received.");
      streamIds.push(id);
    }
    return { streamIds };
  }
}

const MESSAGES: Readonly<Record<number, (items: Items) => Heard>> = {
  1: (items) => {
    const headers = items.headers();
    const invocationId = items.text("invocationId");
    return {
      type: 1,
      ...headers,
      ...invocationId && { invocationId },
      ...call(items, "Invocation"),
    };
  },
  2: (items) => ({
    type: 2,
    ...items.headers(),
    ...items.id("StreamItem"),
    item: items.value(),
  }),
  3: (items) => ({ type: 3, ...items.headers(), ...items.id("Completion"), ...ending(items) }),
  4: (items) => ({
    type: 4,
    ...items.headers(),
    ...items.id("StreamInvocation"),
    ...call(items, "StreamInvocation"),
  }),
  5: (items) => ({ type: 5, ...items.headers(), ...items.id("CancelInvocation") }),
  6: () => ({ type: 6 }),
  7: (items) => {
    const error = items.text("error");
    const allowReconnect = items.count > 2 && items.boolean("allowReconnect");
    return {
      type: 7,
      ...error !== undefined && { error },
      ...allowReconnect && { allowReconnect },
    };
  },
  8: (items) => ({ type: 8, sequenceId: items.integer("sequenceId", 64) }),
  9: (items) => ({ type: 9, sequenceId: items.integer("sequenceId", 64) }),
};

function call(items: Items, message: string): Omit<Heard, "type"> {
  const target = items.text("target");
  if (!target) throw new Offence(`Null or empty target for ${message} message.`);
  return { target, ...items.arguments() };
}

function ending(items: Items): Omit<Heard, "type"> {
  const kind = items.integer("resultKind", 32);
  if (kind === 1) return { error: items.text("error") ?? "" };
  if (kind === 2) return {};
  if (kind === 3) return { result: items.value() };
  throw new Offence("Invalid invocation result kind.");
}

/** The token that stands here, if it is of that kind; else an offence. */
function tokenOr<K extends Token["kind"]>(
  cursor: PackCursor,
  failed: string,
  name: string | undefined,
  kind: K,
): Extract<Token, { kind: K }> {
  const found = here(cursor);
  if (found?.kind !== kind) throw new Offence(failed, name);
  return found as Extract<Token, { kind: K }>;
}

function textOr(cursor: PackCursor, failed: string, name?: string): string | undefined {
  const found = here(cursor);
  if (found?.kind === "nil") return undefined;
  if (found?.kind !== "text") throw new Offence(failed, name);
  try {
    return textDecoder.decode(found.content);
  } catch {
    throw new Offence(failed, name);
  }
}

function integer(cursor: PackCursor, field: string, bits: 32 | 64): number {
  const found = here(cursor);
  const fits = found?.kind === "integer" && BigInt.asIntN(bits, found.value) === found.value;
  if (!fits) throw new Offence(`Reading '${field}' as Int${bits} failed.`);
  return Number(found.value);
}

function here(cursor: PackCursor): Token | undefined {
  try {
    return cursor.token();
  } catch (error) {
    if (error instanceof Unpackable) return undefined;
    throw error;
  }
}
