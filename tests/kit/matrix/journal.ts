/** One request as the server saw it. */
export interface SeenRequest {
  /** `negotiate`, `websocket`, `events`, `poll`, `POST` or `DELETE`. */
  readonly kind: string;
  /** Where the access token was, if there was one. */
  readonly token: "header" | "query" | null;
  /** The header `x-mine`. */
  readonly mine: string | null;
  /** The header `cookie`. */
  readonly cookie: string | null;
}

/** What happens on the nodes of one process, for cases to ask about. */
export class Journal {
  readonly #requests = new Map<string, SeenRequest[]>();
  readonly #ended = new Map<string, PromiseWithResolvers<string | null>>();
  readonly #released = new Map<string, PromiseWithResolvers<unknown>>();
  readonly #happened = new Map<string, PromiseWithResolvers<void>>();

  /** Keeps a request under the tag in its URL. */
  saw(tag: string, request: SeenRequest): void {
    this.#requests.set(tag, [...this.requestsOf(tag), request]);
  }

  /** The requests of a tag so far. */
  requestsOf(tag: string): readonly SeenRequest[] {
    return this.#requests.get(tag) ?? [];
  }

  /** How a connection ended: the text of its error or `null`. */
  ended(id: string): PromiseWithResolvers<string | null> {
    return entry(this.#ended, id);
  }

  /** What a name results in. */
  released(name: string): PromiseWithResolvers<unknown> {
    return entry(this.#released, name);
  }

  /** Something has happened. */
  happen(what: string): void {
    entry(this.#happened, what).resolve();
  }

  /** Resolves when it has happened. */
  happened(what: string): Promise<void> {
    return entry(this.#happened, what).promise;
  }
}

function entry<T>(
  map: Map<string, PromiseWithResolvers<T>>,
  key: string,
): PromiseWithResolvers<T> {
  let found = map.get(key);
  if (found === undefined) map.set(key, found = Promise.withResolvers<T>());
  return found;
}

/** The journal of nodes that are not told another. */
export const journalOfProcess: Journal = new Journal();
