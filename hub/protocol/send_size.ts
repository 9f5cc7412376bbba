import { type TextOrBytes, utf8Length } from "./frame.ts";

/**
 * Checks the size of a message before it is sent; counts only when the answer is not obvious.
 *
 * @throws {RangeError} if the frame is larger than `maximumBytes`.
 */
export function checkSendSize(content: TextOrBytes, maximumBytes: number): void {
  if (content.length * 3 <= maximumBytes) return;
  checkSendBytes(
    typeof content === "string" ? utf8Length(content) : content.length,
    maximumBytes,
  );
}

/** As {@link checkSendSize}, of bytes that are counted already. */
export function checkSendBytes(bytes: number, maximumBytes: number): void {
  if (bytes <= maximumBytes) return;
  throw new RangeError(
    `Cannot send message: ${bytes} bytes are more than ${maximumBytes} (maximumSendMessageSize)`,
  );
}
