/** How many arguments a hub method takes after its context. */
export interface ParameterCount {
  /** The fewest. */
  readonly least: number;
  /** The most; infinite if it ends in a rest parameter. */
  readonly most: number;
  /** How many streams it takes beside them; without it a stream is one of them. */
  readonly streams?: number;
}

/**
 * Counts the parameters that a function declares, the context not included. `length` would leave out
 * those with defaults, which upstream's clients must send (`specs/signalr-wire.md §9.1`); so the
 * declaration is read. Where there is none to read (native and bound functions), any number will do.
 */
export function countParameters(method: (...args: never[]) => unknown): ParameterCount {
  const declared = declaration(Function.prototype.toString.call(method));
  if (declared === undefined) return { least: Math.max(0, method.length - 1), most: Infinity };
  const { count, rest } = declared;
  const fixed = Math.max(0, (rest ? count - 1 : count) - 1);
  return { least: fixed, most: rest ? Infinity : fixed };
}

interface Declaration {
  readonly count: number;
  readonly rest: boolean;
}

const QUOTES = new Set(["'", '"', "`"]);

/** Reads a parameter list: what stands between commas at its outermost level. */
function declaration(source: string): Declaration | undefined {
  if (/\{\s*\[native code\]\s*\}\s*$/.test(source)) return undefined;
  const single = /^(?:async\s+)?([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*=>/u.exec(source);
  if (single !== null) return { count: 1, rest: false };
  const start = parametersStart(source);
  if (start === undefined) return undefined;
  const parameters = split(source, start);
  return {
    count: parameters.length,
    rest: parameters.at(-1)?.startsWith("...") ?? false,
  };
}

/** Where the list begins: behind the name, which may be computed and hold brackets of its own. */
function parametersStart(source: string): number | undefined {
  for (let i = 0; i < source.length; i++) {
    const character = source.charAt(i);
    if (character === "(") return i + 1;
    if (character === "[") i = skip(source, i);
    else if (QUOTES.has(character)) i = skipQuoted(source, i);
    else if (source.startsWith("//", i) || source.startsWith("/*", i)) i = skipComment(source, i);
  }
  return undefined;
}

function split(source: string, start: number): string[] {
  const parameters: string[] = [];
  let text = "";
  for (let i = start; i < source.length; i++) {
    const character = source.charAt(i);
    if (source.startsWith("//", i) || source.startsWith("/*", i)) {
      i = skipComment(source, i);
      continue;
    }
    if (character === ")") break;
    if (character === ",") {
      parameters.push(text.trim());
      text = "";
      continue;
    }
    const from = i;
    i = skipAtom(source, i);
    text += source.slice(from, i + 1);
  }
  if (text.trim() !== "") parameters.push(text.trim());
  return parameters;
}

/** The index of the bracket that closes the one at `open`. */
function skip(source: string, open: number): number {
  for (let i = open + 1; i < source.length; i++) {
    if (")]}".includes(source.charAt(i))) return i;
    i = skipAtom(source, i);
  }
  return source.length;
}

/** The last index of what begins at `at` and can hold commas and brackets that do not count, or `at`. */
function skipAtom(source: string, at: number): number {
  const character = source.charAt(at);
  if (QUOTES.has(character)) return skipQuoted(source, at);
  if ("([{".includes(character)) return skip(source, at);
  if (source.startsWith("//", at) || source.startsWith("/*", at)) return skipComment(source, at);
  return character === "/" && BEFORE_PATTERN.test(source.slice(0, at))
    ? skipPattern(source, at)
    : at;
}

/** Behind an operand a slash divides. */
const BEFORE_PATTERN = /[(,=:[!&|?{};+\-*%~^<>]\s*$/;

function skipPattern(source: string, open: number): number {
  let inClass = false;
  for (let i = open + 1; i < source.length; i++) {
    const character = source.charAt(i);
    if (character === "\\") i++;
    else if (character === "[") inClass = true;
    else if (character === "]") inClass = false;
    else if (character === "/" && !inClass) return i;
  }
  return source.length;
}

function skipQuoted(source: string, open: number): number {
  const quote = source.charAt(open);
  for (let i = open + 1; i < source.length; i++) {
    const character = source.charAt(i);
    if (character === "\\") i++;
    else if (character === quote) return i;
    else if (quote === "`" && source.startsWith("${", i)) i = skip(source, i + 1);
  }
  return source.length;
}

function skipComment(source: string, open: number): number {
  const line = source.startsWith("//", open);
  const end = source.indexOf(line ? "\n" : "*/", open + 2);
  return end < 0 ? source.length : end + (line ? 0 : 1);
}
