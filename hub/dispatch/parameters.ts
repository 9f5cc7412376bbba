/** The number of arguments that a hub method takes after its context. */
export interface ParameterCount {
  /** The fewest arguments. */
  readonly least: number;
  /** The most arguments; infinite if the method ends in a rest parameter. */
  readonly most: number;
  /** The number of streams beside the arguments; without it a stream is one of the arguments. */
  readonly streams?: number;
}

/**
 * Counts the parameters that a function declares, without the context. `length` would leave out
 * parameters with defaults, which clients must send as upstream's (`specs/signalr-wire.md §9.1`); so the
 * declaration is read. Native and bound functions have no declaration and take any number of arguments.
 */
export function countParameters(method: (...args: never[]) => unknown): ParameterCount {
  const declared = declaration(Function.prototype.toString.call(method));
  if (declared === undefined) return { least: Math.max(0, method.length - 1), most: Infinity };
  const { count, rest } = declared;
  const fixed = Math.max(0, (rest ? count - 1 : count) - 1);
  return { least: fixed, most: rest ? Infinity : fixed };
}

/** The parameters in a source text, and whether the last one is a rest parameter. */
function declaration(source: string): { count: number; rest: boolean } | undefined {
  if (/\{\s*\[native code\]\s*\}\s*$/.test(source)) return undefined;
  if (/^(?:async\s+)?[\p{ID_Start}$_][\p{ID_Continue}$]*\s*=>/u.test(source)) {
    return { count: 1, rest: false };
  }
  let at = 0;
  // The name before the list may be computed, and have brackets and quotes.
  while (at < source.length && source.charAt(at) !== "(") at = behind(source, at);
  if (at === source.length) return undefined;
  let [count, rest, begun] = [0, false, false];
  for (at++; at < source.length && source.charAt(at) !== ")";) {
    const end = behind(source, at);
    const text = source.slice(at, end);
    if (text === ",") begun = false;
    else if (!begun && !/^(?:\s|\/[/*])/.test(text)) {
      begun = true;
      count++;
      rest = source.startsWith("...", at);
    }
    at = end;
  }
  return { count, rest };
}

const COMMENT = /\/\/.*|\/\*[^]*?\*\//y;
const STRING = /'(?:\\[^]|[^'\\])*'|"(?:\\[^]|[^"\\])*"/y;
const PATTERN = /\/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\[])+\//y;
/** The text before a pattern. After anything else a slash divides. */
const BEFORE_PATTERN = /[(,=:[!&|?{};+\-*%~^<>]\s*$/;

/** The index behind the comment, string, pattern, template, bracket pair or single character at `at`. */
function behind(source: string, at: number): number {
  const character = source.charAt(at);
  if (character === "`") return behindTemplate(source, at + 1);
  if ("([{".includes(character)) return behindBracket(source, at + 1);
  const divides = character === "/" && !BEFORE_PATTERN.test(source.slice(0, at));
  for (const token of divides ? [COMMENT] : [COMMENT, STRING, PATTERN]) {
    token.lastIndex = at;
    if (token.test(source)) return token.lastIndex;
  }
  return at + 1;
}

function behindBracket(source: string, from: number): number {
  let at = from;
  while (at < source.length && !")]}".includes(source.charAt(at))) at = behind(source, at);
  return at + 1;
}

function behindTemplate(source: string, from: number): number {
  let at = from;
  while (at < source.length && source.charAt(at) !== "`") {
    if (source.startsWith("${", at)) at = behindBracket(source, at + 2);
    else at += source.charAt(at) === "\\" ? 2 : 1;
  }
  return at + 1;
}
