/**
 * The way from the transports to the HTTP server, for more than a request and its answer.
 *
 * @module
 */
import type { Pipe, PipeListener } from "../connection/pipe.ts";
import type { Logger } from "../definition/logger.ts";
import type { LimitedLog } from "../scheduling/limited_log.ts";
import type { ClosingSockets } from "./closing_sockets.ts";

/** A WebSocket that was accepted; `connect` gets its pipe and returns the pipe's listener. */
export interface AcceptedWebSocket {
  /** The answer to the request; its status is 101. */
  readonly response: Response;
  /** Makes a connection at once; to be called in the same turn. */
  connectNow(connect: (pipe: Pipe) => PipeListener): void;
  /** Makes a connection when the socket is open, and none if the socket never opens. */
  connectWhenOpen(connect: (pipe: Pipe) => PipeListener): void;
}

/**
 * Accepts the WebSocket that a request asks for. The request cannot be read any more after it. A native
 * socket is among `closing` from its close to its end.
 *
 * @throws {TypeError} if the request is not a valid WebSocket opening.
 */
export type AcceptWebSocket = (request: Request, closing?: ClosingSockets) => AcceptedWebSocket;

/** Gives the parts of a hub server to an HTTP server that accepts WebSockets itself. */
export const ANSWERER: unique symbol = Symbol("hubplane.answerer");

/** The parts of a hub server that {@link ANSWERER} gives. */
export interface Answerer {
  /**
   * Resolves in the turn that has time for a request, which is this one if nothing is returned: requests
   * share the time of a turn with the messages of all clients.
   */
  turn(): Promise<void> | undefined;
  /** Answers a request; `undefined` if it is to no path of the server. */
  answer(request: Request, accept: AcceptWebSocket): Promise<Response> | undefined;
  /** Logs what clients can cause again and again. */
  readonly limitedLog: LimitedLog;
  /** The options that such an HTTP server needs. */
  readonly options: {
    readonly logger: Logger;
    readonly maximumReceiveMessageSize: number | null;
    readonly maximumQueuedReceiveBytes: number;
  };
}
