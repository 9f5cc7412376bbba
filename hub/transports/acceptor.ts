/**
 * What the transports need of the HTTP server that they run in, beyond a request and its answer.
 *
 * @module
 */
import type { Pipe, PipeListener } from "../connection/pipe.ts";
import type { Logger } from "../definition/logger.ts";

/** A WebSocket that was accepted; who connects gets its pipe and returns who listens. */
export interface AcceptedWebSocket {
  /** What must be answered; its status is 101. */
  readonly response: Response;
  /** Makes a connection at once; to be called in the same turn. */
  attach(connect: (pipe: Pipe) => PipeListener): void;
  /** Hands the pipe over when it is open, and not at all if it never is. */
  attachWhenOpen(connect: (pipe: Pipe) => PipeListener): void;
}

/**
 * Accepts the WebSocket that a request asks for. The request cannot be read any more after it.
 *
 * @throws {TypeError} if the request is no valid WebSocket opening.
 */
export type AcceptWebSocket = (request: Request) => AcceptedWebSocket;

/** A hub server as an HTTP server sees it that accepts WebSockets itself. */
export interface Answerer {
  /** Answers a request; `undefined` if it is to no hub. */
  answer(request: Request, accept: AcceptWebSocket): Promise<Response> | undefined;
  /** The options that such an HTTP server needs. */
  readonly options: {
    readonly logger: Logger;
    readonly maximumReceiveMessageSize: number | null;
    readonly maximumQueuedReceiveBytes: number;
  };
}

const answerers = new WeakMap<object, Answerer>();

/** Makes {@link answererOf} know a server; none of this is public. */
export function registerAnswerer(server: object, answerer: Answerer): void {
  answerers.set(server, answerer);
}

/** What {@link registerAnswerer} was told of `server`; `undefined` if nothing. */
export function answererOf(server: object): Answerer | undefined {
  return answerers.get(server);
}
