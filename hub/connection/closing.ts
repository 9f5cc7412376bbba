import { HubError } from "../definition/errors.ts";
import { type CloseMessage, MessageType } from "../protocol/messages.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import { toError, withDetail } from "./error_texts.ts";

/** Why a connection ends. */
export interface CloseCause {
  /** The error for the hub's `disconnected`; absent for an orderly end. */
  readonly error?: Error;
  /** The last message to the client; absent when the client is gone or never shook hands. */
  readonly message?: CloseMessage;
  /** The client reads too slowly: it is taken out of every group before anything else is done. */
  readonly slow?: true;
  /**
   * How the end is logged: `warn` for a limit that the client has reached, `info` for a rule that the client
   * has broken, `error` for a failure of the server. Absent for all other ends, which are details.
   */
  readonly level?: "error" | "warn" | "info";
  /** The client has gone: its last messages are still dispatched before the hub hears of the end. */
  readonly gone?: true;
}

/** An orderly end; the client is asked to reconnect. */
export const RECONNECT: CloseCause = { message: { type: MessageType.Close, allowReconnect: true } };

/** Something went wrong; the client gets the details with `detailedErrors`, or if they are meant for it. */
export function failed(error: Error, detailedErrors: boolean, allowReconnect = true): CloseCause {
  const text = withDetail("Connection closed with an error.", error, detailedErrors);
  return { error, message: { type: MessageType.Close, error: text, allowReconnect } };
}

/** The client has broken a rule; otherwise as {@link failed}. */
export function broken(error: Error, detailedErrors: boolean): CloseCause {
  return { ...failed(error, detailedErrors), level: "info" };
}

/** The server has failed to handle a message; otherwise as {@link failed}. */
export function mishandled(thrown: unknown, detailedErrors: boolean): CloseCause {
  return { ...failed(toError(thrown), detailedErrors), level: "error" };
}

/** The client has sent a close message, and may have given a reason. */
export function clientClosed({ error }: CloseMessage): CloseCause {
  const message: CloseMessage = { type: MessageType.Close };
  return error ? { message, error: new HubError(error) } : { message };
}

/** More bytes are unsent than allowed. */
export function tooSlow(): CloseCause {
  const error = new ProtocolError("The client reads too slowly: too many bytes are unsent.");
  return { ...RECONNECT, error, level: "warn", slow: true };
}

/** More bytes are waiting to be dispatched than allowed. */
export function flooded(): CloseCause {
  const error = new ProtocolError("Too many bytes are waiting to be dispatched.");
  return { ...RECONNECT, error, level: "warn" };
}

/** A client that may come back did not acknowledge the messages that it was sent. */
export function unacknowledged(): CloseCause {
  const error = new ProtocolError("The client does not acknowledge the messages that it is sent.");
  return { ...RECONNECT, error, level: "warn", slow: true };
}

/** A message for the client was not written in the client's protocol. */
export function unreadable(detailedErrors: boolean): CloseCause {
  const error = new ProtocolError(
    "This message was received from another server that did not have the requested protocol available.",
  );
  return failed(error, detailedErrors);
}

/** The connection has come from another node, and messages for it are lost. */
export function lostOnTheWay(): CloseCause {
  const error = new ProtocolError("Messages were lost while the connection moved to another node.");
  return { ...RECONNECT, error, level: "warn" };
}

/** The client has gone, and its last messages were not all dispatched in time. */
export function drainTimedOut(): CloseCause {
  const error = new ProtocolError(
    "The client has gone and its calls took too long: the messages behind them are dropped.",
  );
  return { error, level: "warn" };
}

/** The client left in the middle of a message. */
export function truncatedMessage(detailedErrors: boolean): CloseCause {
  const error = new ProtocolError("Connection terminated while reading a message.");
  return broken(error, detailedErrors);
}

/** The client was silent for too long. */
export function clientTimeout(detailedErrors: boolean): CloseCause {
  const error = new ProtocolError(
    "Client hasn't sent a message/ping within the configured ClientTimeoutInterval.",
    "OperationCanceledException",
  );
  return failed(error, detailedErrors);
}
