/** The one rule that every driver shares for channel names. */

/** The longest channel name, in UTF-8 bytes. */
export const MAXIMUM_CHANNEL_BYTES = 1024;

const encoder = new TextEncoder();
const scratch = new Uint8Array(MAXIMUM_CHANNEL_BYTES);

/**
 * Returns normally if `channel` may be used as a channel name.
 *
 * @throws {RangeError} if it is empty, over 1,024 UTF-8 bytes, or has a lone surrogate (it would
 * share its bytes with another name).
 */
export function checkChannelName(channel: string): void {
  // Three bytes a code unit is the most that UTF-8 takes, so short names need no counting.
  if (channel.length === 0 || channel.length > MAXIMUM_CHANNEL_BYTES) {
    throw refusal(channel);
  }
  if (
    channel.length * 3 > MAXIMUM_CHANNEL_BYTES &&
    encoder.encodeInto(channel, scratch).read < channel.length
  ) throw refusal(channel);
  if (!channel.isWellFormed()) {
    throw new RangeError(
      `Cannot use channel name: ${JSON.stringify(channel)} has a lone surrogate`,
    );
  }
}

function refusal(channel: string): RangeError {
  const shown = channel.length > 40 ? `${channel.slice(0, 40)}…` : channel;
  return new RangeError(
    `Cannot use channel name: ${
      JSON.stringify(shown)
    } is not 1 to ${MAXIMUM_CHANNEL_BYTES} UTF-8 bytes`,
  );
}
