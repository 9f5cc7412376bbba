import { type NodeOptions, StartError } from "./chat_node.ts";
import type { DemoNode } from "./demo_node.ts";

/**
 * What a node may do: listen and reach the bus. The Redis client enumerates the environment, and finds
 * it empty.
 */
const PERMISSIONS = ["--no-prompt", "--allow-net", "--ignore-env"];

/**
 * Starts a node in a process of its own.
 *
 * @throws {StartError} if it ends before it serves; the message is what it said.
 */
export async function startProcess({ port, backplane }: NodeOptions): Promise<DemoNode> {
  const program = new URL("./node.ts", import.meta.url).href;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...PERMISSIONS, program, `--port=${port}`, `--backplane=${backplane}`],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value: line } = await output.read();
  if (line === undefined) {
    const said = await new Response(child.stderr).text();
    const { code } = await child.status;
    throw new StartError(said.trim() || `Cannot start node ${port}: it ended with ${code}`);
  }
  const rest = Promise.all([output.read(), forward(child.stderr), child.status]).then(() => {});
  return {
    url: line.slice(line.indexOf("http")).trim(),
    pid: child.pid,
    ended: rest,
    async stop() {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended already: Ctrl-C reaches every process of a terminal.
      }
      await rest;
    },
  };
}

/** Shows what a node reports while it runs. */
async function forward(errors: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
  for await (const chunk of errors) Deno.stderr.writeSync(chunk);
}
