/**
 * What a user runs with `deno serve`.
 *
 * @module
 */
import { createHubServer, openBackplane } from "../../../mod.ts";
import { gate } from "../../kit/matrix/gate.ts";
import { richHub } from "../../kit/matrix/rich_hub.ts";

const server = createHubServer({
  hubs: { "/hub": richHub() },
  authenticate: gate(),
  backplane: await openBackplane("memory:"),
});

Deno.addSignalListener("SIGTERM", async () => {
  await server.drain();
  await server.close();
});

export default server satisfies Deno.ServeDefaultExport;
