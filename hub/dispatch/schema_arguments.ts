import { HubError } from "../definition/errors.ts";
import type { SchemaIssue, SchemaResult, StandardSchema } from "../definition/schema.ts";
import { cut, pathText } from "../protocol/value_path.ts";
import { isThenable, type NowOrLater } from "./now_or_later.ts";

/** The limits of an error text for a client: issues, and characters of each issue. */
const MAXIMUM_ISSUES = 3;
const MAXIMUM_MESSAGE = 200;

/**
 * Returns the outputs of the schemas for `args`, one schema for each argument. The first schema that
 * refuses its argument ends the check with a {@link HubError} that names the argument and the issue.
 * `checked` are the outputs so far.
 *
 * @throws {HubError} (or rejects) if an argument is refused.
 * @throws {unknown} (or rejects with) what a schema throws.
 */
export function checkArguments(
  schemas: readonly StandardSchema[],
  args: readonly unknown[],
  checked: unknown[] = [],
): NowOrLater<readonly unknown[]> {
  for (let i = checked.length; i < schemas.length; i++) {
    const result = (schemas[i] as StandardSchema)["~standard"].validate(args[i]);
    if (isThenable(result)) {
      return Promise.resolve(result).then((settled) => {
        checked.push(valueOf(settled, i));
        return checkArguments(schemas, args, checked);
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

/** A schema has refused an item. The text is upstream's; the cause has the text of the schema. */
export class ItemError extends HubError {
  /** Makes the error. */
  constructor(issues: readonly SchemaIssue[]) {
    super("Failed to bind Stream message.", { cause: new TypeError(refusal("item", issues)) });
  }
}

/**
 * Checks the items of a client's stream while they are read. The stream ends with an {@link ItemError} at
 * the first refused item; later items are dropped.
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

/** The text for a refused value. It is short, however long the texts of the schema and of the client are. */
function refusal(what: string, issues: readonly SchemaIssue[]): string {
  const told = issues.slice(0, MAXIMUM_ISSUES).map(({ path = [], message }) =>
    `${what}${pathText(path.map(keyOf))}: ${cut(String(message), MAXIMUM_MESSAGE)}`
  );
  if (issues.length > MAXIMUM_ISSUES) told.push(`and ${issues.length - MAXIMUM_ISSUES} more`);
  return `Cannot take ${told.join("; ")}`;
}

function keyOf(segment: PropertyKey | { readonly key: PropertyKey }): PropertyKey {
  return typeof segment === "object" ? segment.key : segment;
}
