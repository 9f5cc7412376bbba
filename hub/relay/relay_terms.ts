import type { AnswerHead, Verb } from "../bus/relay_messages.ts";

/** A request for a connection that is on another node. */
export interface RelayTerms {
  readonly connectionId: string;
  readonly verb: Verb;
  /** The user that was authenticated, and until when, in epoch milliseconds. */
  readonly userId: string | undefined;
  readonly expires: number | undefined;
  readonly body: ReadableStream<Uint8Array> | null;
  /** The length of the body, as far as it was announced. */
  readonly length: number | undefined;
  /** Aborts when the client goes; absent where the platform has no signal to read. */
  readonly signal: AbortSignal | undefined;
}

/**
 * What became of a request: its answer; `absent` if the home does not have the connection; `gone` if the home is
 * there no more and had not taken the request; `late` if it has not in time, `doubtful` if it may have acted on the
 * body of a POST; `nowhere` if the connection has ended with its home.
 */
export type Outcome = Response | "absent" | "gone" | "late" | "doubtful" | "nowhere";

/** The answer to a poll for which there is no message. */
export function nothingYet(): Response {
  return respond({ status: 200, type: "application/octet-stream", length: 0 }, null);
}

/** The answer of a home, as the relay gives it. */
export function respond(
  { status, type, length }: AnswerHead,
  body: BodyInit | null,
): Response {
  const headers: Record<string, string> = {};
  if (type !== "") headers["content-type"] = type;
  if (length !== undefined) headers["content-length"] = `${length}`;
  return new Response(status === 204 ? null : body, { status, headers });
}
