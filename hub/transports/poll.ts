import { PulledBody } from "./pulled_body.ts";
import { plain } from "./responses.ts";

/** The largest answer in one piece, in bytes: the system takes it even if the client does not read. */
const MAXIMUM_PIECE_BYTES = 64 * 1024;

/** One poll that waits for its answer. */
export class Poll {
  /** The time at which the poll came. */
  readonly since: number;
  readonly #answer: (response: Response) => void;
  /** The body of an answer that has begun. */
  #body: PulledBody | undefined;
  #over: (cut: boolean) => void = () => {};

  constructor(since: number, answer: (response: Response) => void) {
    this.since = since;
    this.#answer = answer;
  }

  /** Whether the head of the answer has left. */
  get hasBegun(): boolean {
    return this.#body !== undefined;
  }

  /** Answers with a head; the frames follow when there are any. `gone` reports that the client has gone. */
  begin(gone: () => void): void {
    this.#over = (cut) => cut && gone();
    this.#body = new PulledBody((cut) => this.#over(cut));
    this.#answer(octets(this.#body.body));
  }

  /** Answers without a frame. An answer that has begun has the status 200, and ends. */
  end(status: 200 | 204): void {
    if (this.#body === undefined) return this.#answer(plain(status));
    this.#over = () => {};
    this.#body.end();
  }

  /**
   * Answers with frames. An answer that may not leave in one piece is returned; `over` is called when all
   * of it was handed over, or with `true` when the client has gone.
   */
  send(
    frames: readonly Uint8Array[],
    length: number,
    over: (cut: boolean) => void,
  ): PulledBody | undefined {
    const begun = this.#body;
    if (begun === undefined && length <= MAXIMUM_PIECE_BYTES) {
      this.#answer(octets(join(frames, length), length));
      return undefined;
    }
    this.#over = over;
    const body = begun ?? new PulledBody((cut) => this.#over(cut));
    for (const frame of frames) body.write(frame);
    body.end();
    if (begun === undefined) this.#answer(octets(body.body, length));
    return body.isOver ? undefined : body;
  }
}

/** The answer to a poll; the length is unknown while the frames are. */
export function octets(body: BodyInit | null, length?: number): Response {
  const headers: Record<string, string> = { "content-type": "application/octet-stream" };
  if (length !== undefined) headers["content-length"] = `${length}`;
  return new Response(body, { headers });
}

function join(pieces: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
