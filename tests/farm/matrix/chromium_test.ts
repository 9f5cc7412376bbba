import { HOSTS } from "../../kit/servers/hosts.ts";
import { startMatrixNode } from "./matrix_node.ts";
import { runInChromium } from "./pages.ts";

for (const [server, host] of Object.entries(HOSTS)) {
  // A browser cannot tell the servers apart where a client in Deno cannot; one of each kind is enough.
  const list = server === "fetch" ? "all" : "short";
  Deno.test(`the official client in Chromium does everything over every transport, on ${server}`, async (t) => {
    await using stack = new AsyncDisposableStack();
    await runInChromium(t, list, async (options) => [
      stack.use(await startMatrixNode(host, options)),
    ]);
  });
}
