import { assertEquals } from "@std/assert";
import { countParameters } from "../../../hub/dispatch/parameters.ts";

type Method = (...args: never[]) => unknown;

/** The function of a source text, which types would only be in the way of. */
function evaluate(source: string): Method {
  return new Function(`return (${source})`)();
}

/** Sources by how many arguments a client must send, the context not counted. */
const EXACTLY: readonly (readonly [count: number, source: string])[] = [
  [0, "() => 1"],
  [0, "async () => 1"],
  [0, "context => context"],
  [0, "async context => context"],
  [0, "$ü => 1"],
  [0, "function () {}"],
  [0, "function* (context) {}"],
  [1, "(context, a) => a"],
  [1, "async (context, a) => a"],
  [1, "function named(context, a) {}"],
  [1, "async function (context, a) {}"],
  [1, "async function* named(context, a) {}"],
  [1, "(context, a,) => a"],
  [2, "(context, a, b = 1) => a"],
  [2, '(context, a = \'),(\', b = "\\"),") => a'],
  [2, "(context, a = `)${((x) => x + ',)')('`')},`, b = [1, (2, 3)]) => a"],
  [2, "({ a, b: { c = [1, 2] } }, { d, e } = { d: 1, e: ')' }, [f, g] = [1, 2]) => 1"],
  [3, '(context, a, b = /[^"/]"/, c = 3) => a'],
  [3, "(context, a, b = /\\)/g.test(')'), c = (1 / 2) / 3) => a"],
  [2, "(context, a = { b: /,/ }, c = [/[(]/, 4 / 2]) => a"],
  [3, "(context, /* ), */ a, // ),\n b, c = (() => ({ x: '}' }))()) => 1"],
  [1, "(context = (1, 2), a = ((x, y) => x)(1, 2)) => a"],
  [1, "{ say(context, a) {} }.say"],
  [1, "{ async say(context, a) {} }.say"],
  [1, "{ async *say(context, a) {} }.say"],
  [1, "{ ['a(b,c)'](context, a) {} }['a(b,c)']"],
  [1, '{ "say (this, that)"(context, a) {} }["say (this, that)"]'],
  [1, "{ get(context, a) {} }.get"],
  [1, "{ async(context, a) {} }.async"],
  [1, "class { static say(context, a) {} }.say"],
];

/** Sources that take any number of arguments from a least one on. */
const AT_LEAST: readonly (readonly [count: number, source: string])[] = [
  [0, "(...all) => all"],
  [0, "(context, ...rest) => rest"],
  [2, "(context, a, b = 1, ...[c, d]) => c"],
  // Nothing is declared to read: their `length` is all there is.
  [1, "((context, a) => a).bind(undefined)"],
  [1, "Math.max"],
];

Deno.test("countParameters() counts those with defaults and nothing but parameters", () => {
  for (const [count, source] of EXACTLY) {
    assertEquals(countParameters(evaluate(source)), { least: count, most: count }, source);
  }
});

Deno.test("countParameters() has no most for a rest parameter or a function without source", () => {
  for (const [count, source] of AT_LEAST) {
    assertEquals(countParameters(evaluate(source)), { least: count, most: Infinity }, source);
  }
});
