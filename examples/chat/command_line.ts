/**
 * What the demo's two programs have in common: how they are told what to do, and what they tell.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type NodeOptions, StartError } from "./chat_node.ts";

/** What a program is called and does when it is told nothing. */
export interface Program extends NodeOptions {
  /** How it is started, without arguments. */
  readonly command: string;
  /** The highest port it can be given. */
  readonly maximumPort: number;
}

/** The arguments, checked; says what is wrong with them and exits with 1 if they are wrong. */
export function readArguments(program: Program): NodeOptions {
  const { command, maximumPort } = program;
  const usage = `${command} [--port ${program.port}] [--backplane ${program.backplane}]`;
  try {
    const { values } = parseArgs({
      options: {
        port: { type: "string", default: String(program.port) },
        backplane: { type: "string", default: program.backplane },
      },
    });
    const port = Number(values.port);
    if (/^\d+$/.test(values.port) && port >= 1 && port <= maximumPort) {
      return { port, backplane: values.backplane };
    }
    return fail(`--port takes a number from 1 to ${maximumPort}; usage: ${usage}`);
  } catch (error) {
    // The rest of the text is advice of parseArgs that does not fit here.
    const [reason] = (error as Error).message.split(". ", 1);
    return fail(`${reason}; usage: ${usage}`);
  }
}

/** Writes a line to the standard output. */
export function print(line: string): void {
  write(Deno.stdout, line);
}

/** Writes a line to the standard error output and exits with 1. */
export function fail(line: string): never {
  write(Deno.stderr, line);
  Deno.exit(1);
}

/** Says in one line why a start has failed, and exits with 1; a mistake of the program is thrown. */
export function failToStart(error: unknown): never {
  if (error instanceof StartError) return fail(error.message);
  throw error;
}

/** Resolves at the first SIGINT (Ctrl-C) or SIGTERM; those that follow have no effect. */
export function stopSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGINT", resolve);
  // Windows has none.
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", resolve);
  return promise;
}

function write(output: { writeSync(bytes: Uint8Array): number }, line: string): void {
  let rest = new TextEncoder().encode(`${line}\n`);
  while (rest.length > 0) rest = rest.subarray(output.writeSync(rest));
}
