import type { HubChannels } from "../bus/channel_names.ts";
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

/** The longest connection id, in UTF-8 bytes; the ids of every server have 22. */
const LONGEST_ID = 256;

/**
 * Returns normally if `id` may be the id of a connection. Ids may come from clients, which send anything.
 *
 * @throws {HubError} if it is empty, too long, or not well-formed text.
 */
export function checkConnectionId(id: unknown): void {
  if (typeof id === "string" && id !== "" && id.length <= LONGEST_ID && id.isWellFormed()) {
    if (utf8Length(id) <= LONGEST_ID) return;
  }
  throw new HubError("Cannot use connection id: it is not text of 1 to 256 bytes");
}

/** Checks every id of a list, as {@link checkConnectionId}. */
export function checkConnectionIds(ids: readonly unknown[]): void {
  for (const id of ids) checkConnectionId(id);
}

/** The longest name of a channel, in UTF-8 bytes. */
const LONGEST_CHANNEL = 1024;

/**
 * Returns normally if the longest name of a group or user makes the name of a channel that a bus takes.
 *
 * @throws {RangeError} if it does not, because the name of the hub is too long.
 */
export function checkLongestChannel(channels: HubChannels, maximumNameBytes: number): void {
  const most = LONGEST_CHANNEL - utf8Length(channels.group(""));
  if (maximumNameBytes <= most) return;
  throw new RangeError(
    `Cannot use maximumNameBytes: ${maximumNameBytes} is more than the ${most} bytes that the ` +
      `name of hub ${JSON.stringify(channels.hub)} leaves of a channel's name`,
  );
}

/**
 * Whether a connection may be one of ASP.NET Core: its ids are 16 random bytes in base64url, so that the
 * last character has four bits that are 0. The ids of this library end with other characters.
 */
export function isDotnetConnectionId(id: string): boolean {
  return /^[\w-]{21}[AQgw]$/.test(id);
}
