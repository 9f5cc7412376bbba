/**
 * What stays of the request that opened a connection. Nothing else of it may: a request that is held
 * on to keeps its body, its signal and several lists of headers, for as long as its connection lasts.
 */
export class RequestCopy {
  /** The complete URL. */
  readonly url: string;
  /** Names and values, line by line: neither can have a line break. A `Headers` takes many times as much. */
  readonly #lines: string;
  #headers: Headers | undefined;

  constructor({ url, headers }: Request) {
    this.url = url;
    const lines: string[] = [];
    headers.forEach((value, name) => lines.push(name, value));
    this.#lines = lines.join("\n");
  }

  /** Its headers; made when somebody first asks. */
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
