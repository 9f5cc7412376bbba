import { HubError } from "../definition/errors.ts";
import { utf8Length } from "../protocol/frame.ts";

/**
 * Returns normally if `name` may name a group or user. Names are compared exactly.
 *
 * @throws {HubError} if it is empty, longer than `maximumBytes` in UTF-8, or not well-formed.
 */
export function checkName(kind: "group" | "user", name: string, maximumBytes: number): void {
  if (typeof name !== "string" || name === "" || !name.isWellFormed()) {
    throw new HubError(`Cannot use ${kind} name: it is empty or not text`);
  }
  if (name.length > maximumBytes || utf8Length(name) > maximumBytes) {
    throw new HubError(`Cannot use ${kind} name: it is longer than ${maximumBytes} bytes`);
  }
}
