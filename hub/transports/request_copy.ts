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
    return this.#headers ??= headersOf(this.#lines);
  }
}

function headersOf(lines: string): Headers {
  const headers = new Headers();
  if (lines === "") return headers;
  const parts = lines.split("\n");
  for (let i = 0; i + 1 < parts.length; i += 2) headers.append(parts[i] ?? "", parts[i + 1] ?? "");
  return headers;
}
