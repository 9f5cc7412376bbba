import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { KeyRing } from "../../../hub/cluster/key_ring.ts";
import { nodeTag, Tokens, type TokenTerms } from "../../../hub/relay/tokens.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const NOW = 1_790_000_000_123;

/** A node that issues tokens; `keys` are those of its farm. */
function node(name = "a", keys = new KeyRing(() => NOW)) {
  return { name, keys, tokens: new Tokens(name, keys, () => NOW) };
}

const terms: fc.Arbitrary<TokenTerms> = fc.record({
  hub: fc.string({ unit: "binary", minLength: 1 }),
  userId: fc.option(fc.string({ unit: "binary", minLength: 1 }), { nil: undefined }),
  stateful: fc.boolean(),
});

Deno.test("verify() reads what issue() has written, on every node of the farm", () => {
  const [one, two] = [node("a"), node("b")];
  two.keys.learn([one.keys.signing]);
  fc.assert(fc.property(terms, (terms) => {
    const { id, token } = one.tokens.issue(terms);
    assertMatch(token, /^[\w-]{64}$/);
    assertMatch(id, /^[\w-]{21}[BRhx]$/);
    for (const { tokens } of [one, two]) {
      const read = tokens.verify(token, terms.hub);
      assert(read !== undefined);
      const { admits, ...rest } = read;
      const { stateful, userId } = terms;
      assertEquals(rest, { id, issuer: nodeTag("a"), issued: NOW, stateful });
      assertEquals(admits(userId), true);
      assertEquals(admits(`${userId}x`), userId === undefined);
      assertEquals(admits(undefined), userId === undefined);
    }
  }));
});

Deno.test("verify() refuses a token of which any character is another one", () => {
  const { tokens } = node();
  const { token } = tokens.issue({ hub: "chat", userId: "ann", stateful: true });
  for (let at = 0; at < token.length; at++) {
    for (const character of ALPHABET) {
      if (character === token[at]) continue;
      const other = token.slice(0, at) + character + token.slice(at + 1);
      assertEquals(tokens.verify(other, "chat"), undefined, `${at}: ${character}`);
    }
  }
});

Deno.test("verify() refuses mutated tokens and any other text, and never throws", () => {
  const { tokens } = node();
  const { token } = tokens.issue({ hub: "chat", userId: undefined, stateful: false });
  const character = fc.constantFrom(...ALPHABET, "=", "+", "/", "%", "\0", "é", "😀", "\ud800");
  const mutated = fc.array(fc.tuple(fc.nat(token.length), fc.nat(3), fc.array(character)), {
    minLength: 1,
  }).map((edits) =>
    edits.reduce(
      (text, [at, cut, put]) => text.slice(0, at) + put.join("") + text.slice(at + cut),
      token,
    )
  );
  const forged = fc.string({ unit: character, minLength: 64, maxLength: 64 });
  fc.assert(
    fc.property(fc.oneof(mutated, forged, fc.string({ unit: "binary" })), (text) => {
      assertEquals(tokens.verify(text, "chat") === undefined, text !== token);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("verify() refuses a token of another hub, and of a farm whose keys it does not know", () => {
  const { tokens, keys } = node();
  const { token } = tokens.issue({ hub: "chat", userId: undefined, stateful: false });
  for (const hub of ["", "chat2", "Chat", "cha"]) {
    assertEquals(tokens.verify(token, hub), undefined);
  }
  const other = node("a");
  assertEquals(other.tokens.verify(token, "chat"), undefined);
  // Another key with the same tag is no help, and no hindrance.
  const { tag } = keys.signing;
  other.keys.learn([{ created: 1, tag, secret: new Uint8Array(32) }]);
  assertEquals(other.tokens.verify(token, "chat"), undefined);
  other.keys.learn([keys.signing]);
  assert(other.tokens.verify(token, "chat") !== undefined);
});

Deno.test("issue() makes a new token and a new id each time, of which neither tells the other", () => {
  const { tokens } = node();
  const texts = new Set<string>();
  for (let time = 0; time < 1000; time++) {
    const { id, token } = tokens.issue({ hub: "chat", userId: "ann", stateful: true });
    texts.add(id).add(token);
    for (let at = 0; at + 6 <= id.length; at++) assert(!token.includes(id.slice(at, at + 6)));
  }
  assertEquals(texts.size, 2000);
});

Deno.test("a token does not show its user: the same user has another code in each", () => {
  const { tokens } = node();
  const code = () =>
    tokens.issue({ hub: "chat", userId: "ann", stateful: false }).token.slice(40, 47);
  assertNotEquals(code(), code());
});
