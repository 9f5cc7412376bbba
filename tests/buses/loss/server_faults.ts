import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import type { ServerProcess } from "../../kit/servers/server_process.ts";
import type { LossResult } from "./run_loss.ts";

/** Publishes over `fault`, to a server of its own; `name` is printed with the sums. */
export type LossOf = (
  name: string,
  fault: (server: ServerProcess) => Promise<void>,
) => Promise<LossResult>;

/** The tests of a driver against what can happen to the server of any bus. */
export function serverFaults(driver: string, lossOf: LossOf): Deno.TestDefinition[] {
  const quiet = `${driver} loses nothing in silence when`;
  return [
    {
      name: `${quiet} nothing goes wrong`,
      async fn() {
        const result = await lossOf("nothing", () => Promise.resolve());
        assertEquals(result.delivered, result.published);
        assertEquals(result.gaps, []);
      },
    },
    {
      name: `${quiet} its server is killed for 1.5 s`,
      async fn() {
        const result = await lossOf("SIGKILL", async (server) => {
          await server.stop();
          await delay(1500);
          await server.start();
        });
        assert(result.rejected > 50);
        assert(result.gaps.length > 0);
      },
    },
    {
      name: `${quiet} its server is stopped for 3 s`,
      async fn() {
        const result = await lossOf("SIGSTOP", (server) => stopFor(server, 3000));
        assert(result.rejected > 0, "nobody noticed that the server stood still");
      },
    },
    {
      name: `${quiet} its server is stopped for 4.5 s`,
      async fn() {
        const result = await lossOf("SIGSTOP, noticed", (server) => stopFor(server, 4500));
        assert(result.gaps.length > 0);
      },
    },
  ];
}

async function stopFor(server: ServerProcess, duration: number): Promise<void> {
  server.pause();
  await delay(duration);
  server.resume();
}
