import type { HttpAnswer } from "../../kit/http.ts";
import { dial, isReset, TcpReader, writeAll } from "../../kit/tcp.ts";

/** What is answered to a token that nobody has. */
export const NOBODY: HttpAnswer = { status: 404, text: "No Connection with that ID" };

/** A call of `inspect` as it is posted. */
export function inspecting(id: number | string, value: unknown): string {
  const message = { type: 1, invocationId: `${id}`, target: "inspect", arguments: [value] };
  return `${JSON.stringify(message)}\x1e`;
}

/** Its answer. */
export function inspected(id: number | string, result: string): string {
  return `${JSON.stringify({ type: 3, invocationId: `${id}`, result })}\x1e`;
}

/** Sends bytes on a connection of their own, and ends it; returns the statuses of what was answered. */
export async function sendRaw(port: number, bytes: Uint8Array | string): Promise<number[]> {
  using connection = await dial(port);
  try {
    await writeAll(connection, bytes);
    await connection.closeWrite();
  } catch (error) {
    if (isReset(error)) return [];
    throw error;
  }
  const text = new TextDecoder().decode(await new TcpReader(connection).takeAll());
  return [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status));
}
