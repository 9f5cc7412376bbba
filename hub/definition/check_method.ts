import { checkNames } from "../options/known.ts";

/** The parts of a method that is not a function. */
export const METHOD_PARTS = { args: true, streams: true, authorize: true, handler: true } as const;

/**
 * Checks a method that is not a function.
 *
 * @throws {TypeError} if it is not a method; the text begins with `task`.
 */
export function checkMethod(definition: unknown, task: string): void {
  if (typeof definition !== "object" || definition === null || !("handler" in definition)) {
    throw new TypeError(`${task}: it is not a function, nor an object with a handler`);
  }
  checkNames(definition, METHOD_PARTS, task);
  const { args, streams, authorize, handler } = definition as Record<string, unknown>;
  if (typeof handler !== "function") throw new TypeError(`${task}: handler is not a function`);
  if (authorize !== undefined && typeof authorize !== "function") {
    throw new TypeError(`${task}: authorize is not a function`);
  }
  if (args !== undefined && !isSchemas(args)) {
    throw new TypeError(`${task}: args is not an array of schemas`);
  }
  if (streams === undefined) return;
  if (args === undefined) throw new TypeError(`${task}: streams needs args, which may be []`);
  if (!isSchemas(streams) && !(Number.isSafeInteger(streams) && (streams as number) >= 0)) {
    throw new TypeError(`${task}: streams is neither an array of schemas nor a number of streams`);
  }
}

function isSchemas(list: unknown): boolean {
  return Array.isArray(list) && list.every((schema) => {
    // Some libraries' schemas are functions.
    const properties = Object(schema)["~standard"];
    return properties?.version === 1 && typeof properties.validate === "function";
  });
}
