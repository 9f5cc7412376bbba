/**
 * What a value is, as text: also of values that could not travel back to where they came from. A node
 * and the model of it describe what they have received.
 *
 * @module
 */
export function described(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.toWellFormed());
    case "bigint":
      return `${value}n`;
    case "object":
      return value === null ? "null" : describedObject(value);
    default:
      return Object.is(value, -0) ? "-0" : String(value);
  }
}

function describedObject(value: object): string {
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (value instanceof Uint8Array) return `bytes(${value.join(" ")})`;
  if (Array.isArray(value)) return `[${value.map(described).join(", ")}]`;
  const members = Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name.toWellFormed())}: ${described(member)}`);
  return `{${members.join(", ")}}`;
}
