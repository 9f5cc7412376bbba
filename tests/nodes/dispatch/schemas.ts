import type { SchemaResult, StandardSchema } from "../../../hub/definition/method.ts";

/** A schema made by hand; `later` makes it give its result in a promise. */
export function schema<T>(
  check: (value: unknown) => SchemaResult<T>,
  later = false,
): StandardSchema<T> {
  const validate = later ? (value: unknown) => Promise.resolve(value).then(check) : check;
  return { "~standard": { version: 1, vendor: "by hand", validate } };
}

/** Takes a text. */
export const text: StandardSchema<string> = schema((value) =>
  typeof value === "string" ? { value } : { issues: [{ message: "not a text" }] }
);

/** What a client is told whose arguments do not fit. */
export function refused(target: string, why?: string): string {
  const generic = `Failed to invoke '${target}' due to an error on the server.`;
  return why === undefined ? generic : `${generic} HubException: Cannot take ${why}`;
}
