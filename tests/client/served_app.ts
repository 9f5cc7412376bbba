/**
 * What a user runs with `deno serve`.
 *
 * @module
 */
import { createHubServer, defineHub, type HubContext, openBackplane } from "../../mod.ts";

const hub = defineHub({
  methods: {
    echo: (_context: HubContext<{ got(value: unknown): void }>, value: unknown) => value,
  },
});

const server = createHubServer({
  hubs: { "/hub": hub },
  backplane: await openBackplane("memory:"),
});

export default server satisfies Deno.ServeDefaultExport;
