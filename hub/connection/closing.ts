import { toldByClient, withDetail } from "./error_texts.ts";
import { type CloseMessage, MessageType } from "../protocol/messages.ts";
import { ProtocolError } from "../protocol/protocol.ts";

/** Why a connection ends. */
export interface CloseCause {
  /** What the hub's `disconnected` hears; absent for an orderly end. */
  readonly error?: Error;
  /** The last message to the client; absent when it is gone or never shook hands. */
  readonly message?: CloseMessage;
  /** The client reads too slowly: it is taken out of every group before anything else is done. */
  readonly slow?: true;
  /** The client has gone: what it had sent is still dispatched, before the hub hears of the end. */
  readonly gone?: true;
}

const RECONNECT: CloseMessage = { type: MessageType.Close, allowReconnect: true };

/** Something went wrong; the client sees what with `detailedErrors`, or if it is meant for it. */
export function failed(
  error: Error,
  options: { readonly allowReconnect: boolean; readonly detailedErrors: boolean },
): CloseCause {
  const text = withDetail("Connection closed with an error.", error, options.detailedErrors);
  const { allowReconnect } = options;
  return { error, message: { type: MessageType.Close, error: text, allowReconnect } };
}

/** The client has said that it goes, and perhaps why. */
export function goodbye({ error }: CloseMessage): CloseCause {
  const message: CloseMessage = { type: MessageType.Close };
  return error ? { message, error: toldByClient(error) } : { message };
}

/** More is unsent than is allowed. */
export function tooSlow(): CloseCause {
  const error = new ProtocolError("The client reads too slowly: too many bytes are unsent.");
  return { error, message: RECONNECT, slow: true };
}

/** More is waiting to be dispatched than is allowed. */
export function flooded(): CloseCause {
  const error = new ProtocolError("Too many bytes are waiting to be dispatched.");
  return { error, message: RECONNECT };
}

/** A client that could come back did not acknowledge what it was sent. */
export function unacknowledged(): CloseCause {
  const error = new ProtocolError("The client does not acknowledge what it is sent.");
  return { error, message: RECONNECT, slow: true };
}

/** The client has gone, and what it had sent was not all dispatched in time. */
export function leftBehind(): Error {
  return new ProtocolError(
    "The client has gone, and its calls took too long: what it had sent behind them is dropped.",
  );
}

/** The client went in the middle of a message. */
export function torn(): Error {
  return new ProtocolError("Connection terminated while reading a message.");
}

/** The client was silent for too long. */
export function clientTimeout(): Error {
  return new ProtocolError(
    "Client hasn't sent a message/ping within the configured ClientTimeoutInterval.",
    "OperationCanceledException",
  );
}
