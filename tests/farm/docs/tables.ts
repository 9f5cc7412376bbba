/** One row of a table of options. */
export interface OptionRow {
  readonly name: string;
  readonly unit: string;
  /** The default as it is printed: without backquotes, and without commas if it is a number. */
  readonly fallback: string;
  readonly range: string;
}

/** The tables of options in a page, by the heading that each stands under. */
export function readTables(markdown: string): Map<string, OptionRow[]> {
  const tables = new Map<string, OptionRow[]>();
  let heading = "";
  for (const line of markdown.split("\n")) {
    heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
    const [, first = "", unit = "", fallback = "", range = ""] = line.split("|")
      .map((cell) => cell.trim());
    const name = /^`(\w+)`$/.exec(first)?.[1];
    if (name === undefined) continue;
    const rows = tables.get(heading) ?? [];
    tables.set(heading, rows);
    rows.push({ name, unit, fallback: plain(fallback), range });
  }
  return tables;
}

/** `1 to 1,000` as two numbers; `undefined` if the range is not of numbers. */
export function readRange(range: string): [least: number, most: number] | undefined {
  const [, least, most] = /^([\d,]+) to ([\d,]+)(?:;|$)/.exec(range) ?? [];
  return least === undefined || most === undefined
    ? undefined
    : [Number(plain(least)), Number(plain(most))];
}

function plain(cell: string): string {
  const text = cell.replaceAll("`", "");
  return /^[\d,]+$/.test(text) ? text.replaceAll(",", "") : text;
}
