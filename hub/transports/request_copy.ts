/**
 * The part of a request that its connection keeps. A whole request would keep its body, its signal and
 * several lists of headers in memory, for as long as its connection lasts.
 */
export class RequestCopy {
  /** The complete URL. */
  readonly url: string;
  /** Names and values, line by line: neither can have a line break. A `Headers` takes far more memory. */
  readonly #lines: string;
  #headers: Headers | undefined;

  constructor({ url, headers }: Request) {
    this.url = url;
    const lines: string[] = [];
    headers.forEach((value, name) => lines.push(name, value));
    this.#lines = lines.join("\n");
  }

  /** The headers, made on the first use. */
  get headers(): Headers {
    if (this.#headers !== undefined) return this.#headers;
    const headers = this.#headers = new Headers();
    const lines = this.#lines.split("\n");
    for (let i = 0; i + 1 < lines.length; i += 2) {
      headers.append(lines[i] ?? "", lines[i + 1] ?? "");
    }
    return headers;
  }
}
