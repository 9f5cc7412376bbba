/** The limits of a path in an error text: keys, and characters of each key. */
const MAXIMUM_KEYS = 8;
const MAXIMUM_KEY = 40;

/** Formats a path as code, and cuts a long one: `.user["first name"][0]`. */
export function pathText(path: readonly PropertyKey[]): string {
  const keys = path.slice(0, MAXIMUM_KEYS).map((key) => {
    if (typeof key !== "string") return `[${String(key)}]`;
    const short = cut(key, MAXIMUM_KEY);
    return /^[A-Za-z_$][\w$]*$/.test(short) ? `.${short}` : `[${JSON.stringify(short)}]`;
  });
  return keys.join("") + (path.length > MAXIMUM_KEYS ? "…" : "");
}

/** The first characters of a text that is longer than `length`. */
export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1).toWellFormed()}…` : text;
}
