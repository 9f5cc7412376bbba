/**
 * Checks what clients send against schemas of any library that speaks Standard Schema.
 *
 * @module
 */
import { HubError } from "../definition/errors.ts";
import type { SchemaIssue, SchemaResult, StandardSchema } from "../definition/schema.ts";
import { isThenable, type NowOrLater } from "./now_or_later.ts";

/** How much of what a schema says a client is told: issues, and characters of each part. */
const MAXIMUM_ISSUES = 3;
const MAXIMUM_MESSAGE = 200;
const MAXIMUM_KEYS = 8;
const MAXIMUM_KEY = 40;

/**
 * What the schemas make of `args`, one after the other; the first that refuses its argument ends it
 * with a {@link HubError} that says where and why. There are as many of both.
 *
 * @throws {HubError} (or rejects) if an argument is refused.
 * @throws {unknown} (or rejects with) what a schema throws.
 */
export function checkArguments(
  schemas: readonly StandardSchema[],
  args: readonly unknown[],
): NowOrLater<readonly unknown[]> {
  return checkFrom(0, schemas, args, []);
}

function checkFrom(
  from: number,
  schemas: readonly StandardSchema[],
  args: readonly unknown[],
  checked: unknown[],
): NowOrLater<readonly unknown[]> {
  for (let i = from; i < schemas.length; i++) {
    const result = (schemas[i] as StandardSchema)["~standard"].validate(args[i]);
    if (isThenable(result)) {
      return Promise.resolve(result).then((settled) => {
        checked.push(valueOf(settled, i));
        return checkFrom(i + 1, schemas, args, checked);
      });
    }
    checked.push(valueOf(result, i));
  }
  return checked;
}

function valueOf(result: SchemaResult<unknown>, index: number): unknown {
  if (result.issues) throw new HubError(refusal(`arguments[${index}]`, result.issues));
  return result.value;
}

/** An item that its schema refused; upstream's words for the client, the schema's as its cause. */
export class ItemError extends HubError {
  /** Makes the error. */
  constructor(issues: readonly SchemaIssue[]) {
    super("Failed to bind Stream message.", { cause: new TypeError(refusal("item", issues)) });
  }
}

/**
 * A stream of a client whose items are checked as they are read. At the first that is refused it ends
 * with an {@link ItemError}, and what still comes is dropped.
 */
export function checkItems(
  upload: AsyncIterable<unknown>,
  schema: StandardSchema,
): AsyncIterableIterator<unknown> {
  const items = upload[Symbol.asyncIterator]();
  const leave = async (): Promise<IteratorResult<unknown>> => {
    await items.return?.();
    return { done: true, value: undefined };
  };
  return {
    async next() {
      const { done, value } = await items.next();
      if (done) return { done, value };
      try {
        const result = await schema["~standard"].validate(value);
        if (result.issues) throw new ItemError(result.issues);
        return { done: false, value: result.value };
      } catch (error) {
        await leave();
        throw error;
      }
    },
    return: leave,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** What was refused and why, as short as a schema or a client may not be. */
function refusal(what: string, issues: readonly SchemaIssue[]): string {
  const told = issues.slice(0, MAXIMUM_ISSUES).map(({ path = [], message }) =>
    `${what}${pathText(path)}: ${cut(String(message), MAXIMUM_MESSAGE)}`
  );
  if (issues.length > MAXIMUM_ISSUES) told.push(`and ${issues.length - MAXIMUM_ISSUES} more`);
  return `Cannot take ${told.join("; ")}`;
}

/** A path as it is written in code: `.user["first name"][0]`. */
function pathText(path: NonNullable<SchemaIssue["path"]>): string {
  const keys = path.slice(0, MAXIMUM_KEYS).map((segment) => {
    const key = typeof segment === "object" ? segment.key : segment;
    if (typeof key !== "string") return `[${String(key)}]`;
    const short = cut(key, MAXIMUM_KEY);
    return /^[A-Za-z_$][\w$]*$/.test(short) ? `.${short}` : `[${JSON.stringify(short)}]`;
  });
  return keys.join("") + (path.length > MAXIMUM_KEYS ? "…" : "");
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1).toWellFormed()}…` : text;
}
