/** How many arguments a hub method takes after its context. */
export interface ParameterCount {
  /** The fewest. */
  readonly least: number;
  /** The most; infinite if the method ends in a rest parameter. */
  readonly most: number;
  /** The number of streams beside the arguments; without it, streams count as arguments. */
  readonly streams?: number;
}

/**
 * Counts the parameters that a function declares after the context. `length` would leave out parameters
 * with defaults, which upstream's clients must send (`specs/signalr-wire.md §9.1`), so the source text is
 * read. A function without source text (native or bound) takes any number of arguments.
 */
export function countParameters(method: (...args: never[]) => unknown): ParameterCount {
  const declared = parametersOf(Function.prototype.toString.call(method));
  if (declared === undefined) return { least: Math.max(0, method.length - 1), most: Infinity };
  const rest = declared.at(-1)?.startsWith("...") ?? false;
  const least = Math.max(0, declared.length - (rest ? 2 : 1));
  return { least, most: rest ? Infinity : least };
}

/** Reads the parameters from the source text of a function. */
function parametersOf(source: string): readonly string[] | undefined {
  if (/\{\s*\[native code\]\s*\}\s*$/.test(source)) return undefined;
  const single = /^(?:async\s+)?([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*=>/u.exec(source);
  if (single !== null) return [source];
  let at = 0;
  // The name of a method may be computed, and hold brackets in brackets or quotes.
  while (at < source.length && source.charAt(at) !== "(") at = skip(source, at);
  if (at >= source.length) return undefined;
  const parameters: string[] = [];
  let text = "";
  for (let next = ++at; at < source.length && source.charAt(at) !== ")"; at = next) {
    next = skip(source, at);
    const part = source.slice(at, next);
    if (part === ",") {
      parameters.push(text.trim());
      text = "";
    } else if (!/^\/[/*]/.test(part)) text += part;
  }
  return text.trim() === "" ? parameters : [...parameters, text.trim()];
}

/** Comments and strings: their brackets and commas do not count. */
const QUOTED = /\/\/.*|\/\*[^]*?\*\/|"(?:\\[^]|[^"\\])*"|'(?:\\[^]|[^'\\])*'/y;
const PATTERN = /\/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\[])+\//y;
/** The text before a pattern; after other text a slash divides. */
const BEFORE_PATTERN = /[(,=:[!&|?{};+\-*%~^<>]\s*$/;

/** The index after the comment, string, pattern, pair of brackets or single character at `at`. */
function skip(source: string, at: number): number {
  const character = source.charAt(at);
  if ("([{".includes(character)) return skipBrackets(source, at + 1);
  if (character === "`") return skipTemplate(source, at + 1);
  const isPattern = character === "/" && BEFORE_PATTERN.test(source.slice(0, at));
  const quoted = matchAt(QUOTED, source, at) ?? (isPattern ? matchAt(PATTERN, source, at) : null);
  return at + (quoted?.[0].length ?? 1);
}

function skipBrackets(source: string, at: number): number {
  while (at < source.length && !")]}".includes(source.charAt(at))) at = skip(source, at);
  return at + 1;
}

function skipTemplate(source: string, at: number): number {
  while (at < source.length && source.charAt(at) !== "`") {
    if (source.startsWith("${", at)) at = skipBrackets(source, at + 2);
    else at += source.charAt(at) === "\\" ? 2 : 1;
  }
  return at + 1;
}

function matchAt(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}
