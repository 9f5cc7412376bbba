/** The memory of publishes that a bus has not accepted yet, and its limit. */
import { BackplaneUnavailableError } from "../errors.ts";

/** How much may wait for a bus that does not keep up, in bytes: about 100,000 small messages. */
export const MAXIMUM_WAITING_BYTES: number = 128 * 1024 * 1024;

/**
 * The memory of a publish beside its name and payload: its promise, its command, its places in queues.
 * Measured on a bus that hangs: 500 to 1,100 bytes, many times what a small message takes itself.
 */
const OVERHEAD_BYTES = 1024;

/** The memory that a publish takes while it waits, in bytes. */
export function waitingBytes(channel: string, payload: Uint8Array): number {
  return OVERHEAD_BYTES + channel.length + payload.byteLength;
}

/** The error of a publish beyond {@link MAXIMUM_WAITING_BYTES}. */
export function tooSlow(bus: string): BackplaneUnavailableError {
  return new BackplaneUnavailableError(
    `Cannot publish: more than ${MAXIMUM_WAITING_BYTES} bytes wait for ${bus} to accept them`,
    { handedOver: false },
  );
}
