import { assert, assertEquals, assertMatch } from "@std/assert";

/** What the placeholders of a transcript stand for, as they become known. */
export class Placeholders {
  readonly #values = new Map<string, string>();

  /** Says what one stands for. */
  set(placeholder: string, value: string): void {
    this.#values.set(placeholder, value);
  }

  /** What one stands for is not known any more. */
  forget(placeholder: string): void {
    this.#values.delete(placeholder);
  }

  /** Text with the placeholders filled that are known. */
  fill(text: string): string {
    return text.replaceAll(/\{\w+\}/g, (known) => this.#values.get(known) ?? known);
  }

  /** Takes the ids that a negotiate was answered; `names` lists their placeholders. */
  take(names: string, answer: string): void {
    const { connectionId, connectionToken } = JSON.parse(answer);
    const [id = "", token = ""] = names.match(/\{\w+\}/g) ?? [];
    this.#values.set(id, connectionId).set(token, connectionToken);
  }

  /** Compares an answer in JSON; its ids are new, and must look like ids. */
  compare(came: string, expected: string): void {
    const actual = JSON.parse(came);
    const wanted = JSON.parse(expected);
    // Members are in upstream's order too.
    assertEquals(Object.keys(actual), Object.keys(wanted));
    for (const member of ["connectionId", "connectionToken"]) {
      if (!/^\{\w+\}$/.test(String(wanted[member]))) continue;
      assertMatch(actual[member], member === "connectionId" ? /^[\w-]{22}$/ : /^[\w-]{64}$/);
      this.#values.set(String(wanted[member]), actual[member]);
      wanted[member] = actual[member];
    }
    assertEquals(actual, wanted);
    if (wanted.connectionToken === undefined) return;
    assert(wanted.connectionToken !== wanted.connectionId);
  }
}
