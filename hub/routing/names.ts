import { HubError } from "../definition/errors.ts";
import { utf8Length } from "../protocol/frame.ts";

/**
 * Returns normally if `name` may name a group or user. Names are compared exactly.
 *
 * @throws {HubError} if it is empty, longer than `maximumBytes` in UTF-8, or not well-formed.
 */
export function checkName(kind: "group" | "user", name: string, maximumBytes: number): void {
  const objection = objectionTo(name, maximumBytes);
  if (objection === undefined) return;
  throw new HubError(`Cannot use ${kind === "user" ? "user id" : "group name"}: ${objection}`);
}

/** The reason why `name` cannot name a group or user; `undefined` if it can. */
export function objectionTo(name: unknown, maximumBytes: number): string | undefined {
  if (typeof name !== "string" || name === "" || !name.isWellFormed()) {
    return "it is empty or not text";
  }
  if (name.length <= maximumBytes && utf8Length(name) <= maximumBytes) return undefined;
  return `it is longer than ${maximumBytes} bytes, the maximumNameBytes`;
}

/** The longest connection id, in UTF-16 units; the ids of every server have 22. */
const LONGEST_ID = 256;

/**
 * Returns normally if `id` may be the id of a connection. Ids may come from clients, which send anything.
 *
 * @throws {HubError} if it is empty, too long, or not well-formed text.
 */
export function checkConnectionId(id: unknown): void {
  if (typeof id === "string" && id !== "" && id.length <= LONGEST_ID && id.isWellFormed()) return;
  throw new HubError("Cannot use connection id: it is not text of 1 to 256 characters");
}
