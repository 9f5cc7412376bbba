/** Stands for a value that was sent and cannot be read: it fails the call that it belongs to. */
export class UnreadableValue {
  /** Why it cannot be read. */
  readonly cause: unknown;

  constructor(cause: unknown) {
    this.cause = cause;
  }
}

/** The type of the extension that holds a timestamp. */
const TIMESTAMP = -1;

/**
 * The `Date` of a timestamp in one of its three formats: 32 bits of seconds; 30 of nanoseconds and 34
 * of seconds; 32 of nanoseconds and 64 of seconds. Fractions of a millisecond are cut off, not rounded:
 * `DateTime.MaxValue` stays in the year 9999.
 *
 * @throws {RangeError} if the extension is not a timestamp, or no `Date` has its time.
 */
export function readExtension(type: number, content: Uint8Array): Date {
  if (type !== TIMESTAMP) throw new RangeError(`Cannot read extension: type ${type} is not known`);
  const { length, buffer, byteOffset } = content;
  if (length !== 4 && length !== 8 && length !== 12) {
    throw new RangeError(`Cannot read timestamp: it has ${length} bytes`);
  }
  const view = new DataView(buffer, byteOffset, length);
  let seconds = view.getUint32(length - 4);
  let nanoseconds = 0;
  if (length === 8) {
    const first = view.getUint32(0);
    seconds += (first & 3) * 2 ** 32;
    nanoseconds = first >>> 2;
  } else if (length === 12) {
    seconds += view.getInt32(4) * 2 ** 32;
    nanoseconds = view.getUint32(0);
  }
  const date = new Date(seconds * 1000 + Math.floor(nanoseconds / 1e6));
  if (!Number.isNaN(date.getTime())) return date;
  throw new RangeError("Cannot read timestamp: it is out of range");
}
