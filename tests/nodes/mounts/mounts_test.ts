import { assertRejects } from "@std/assert";
import { Hono } from "hono";
import {
  createHubServer,
  type Hub,
  type HubMethods,
  type HubServer,
  MemoryBackplane,
} from "../../../mod.ts";
import { Child } from "../../kit/child.ts";
import { KeptLog } from "../../kit/log.ts";
import { RunningNode } from "../../kit/running_node.ts";
import { SHORT } from "../../kit/matrix/cases.ts";
import { gate } from "../../kit/matrix/gate.ts";
import { report } from "../../kit/matrix/report.ts";
import { richHub } from "../../kit/matrix/rich_hub.ts";
import { COMBINATIONS, nameOf, runCases } from "../../kit/matrix/world.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { CuttingProxy } from "../../kit/servers/cutting_proxy.ts";
import { HOSTS } from "../../kit/servers/hosts.ts";

const APP = new URL("served_app.ts", import.meta.url).href;

/** Runs the short list against the hub at `path` of a port, over every transport. */
async function tryHub(t: Deno.TestContext, port: number, path: string): Promise<void> {
  using line = new CuttingProxy(port);
  const near = `http://127.0.0.1:${line.port}${path}`;
  for (const combination of COMBINATIONS) {
    const place = { ...combination, runtime: "deno", near, far: near } as const;
    const outcomes = await runCases(SHORT, place, line);
    await t.step(nameOf(combination), (t) => report(t, outcomes));
  }
}

Deno.test("a server that is the default export works under deno serve", async (t) => {
  await using app = Child.start(
    ...["serve", "--no-lock", "--allow-net", "--host", "127.0.0.1", "--port", "0", APP],
  );
  const [, port = ""] = await app.until(/Listening on http:\S+?:(\d+)/);
  await tryHub(t, Number(port), "/hub");
});

for (const [name, host] of Object.entries(HOSTS)) {
  Deno.test(`a server works below basePath, on ${name}`, async (t) => {
    const configuration = {
      hubs: { "/hub": richHub() },
      authenticate: gate(),
      basePath: "/base/path",
    };
    await using node = await RunningNode.start(configuration, host);
    await tryHub(t, node.port, "/base/path/hub");
    const elsewhere = SignalRClient.make(node.url("/hub"));
    await assertRejects(() => elsewhere.start(), Error, "Status code '404'");
  });
}

/** A hub server behind a Hono app, which `mount` puts together. */
function honoTest(
  name: string,
  basePath: string,
  mount: (app: Hono, server: HubServer<Record<string, Hub<HubMethods>>>) => void,
): void {
  Deno.test(name, async (t) => {
    await using server = createHubServer({
      hubs: { "/hub": richHub() },
      authenticate: gate(),
      backplane: new MemoryBackplane(),
      logger: new KeptLog(),
      basePath,
    });
    const app = new Hono();
    // As middleware does that adds headers to every answer.
    app.use(async (context, next) => {
      await next();
      context.header("x-app", "yes");
    });
    app.get("/", (context) => context.text("a page"));
    mount(app, server);
    await using http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.fetch);
    await tryHub(t, http.addr.port, `${basePath}/hub`);
    await server.close();
  });
}

honoTest("a server works as a route of a Hono app", "", (app, { fetch }) => {
  app.all("/hub/*", (context) => fetch(context.req.raw));
});

honoTest("a server works as a route of a Hono app within another", "/within", (app, { fetch }) => {
  const inner = new Hono();
  inner.all("/hub/*", (context) => fetch(context.req.raw));
  app.route("/within", inner);
});

honoTest("a server works mounted in a Hono app with the request as it came", "/mounted", (app, {
  fetch,
}) => {
  app.mount("/mounted", fetch, { replaceRequest: false });
});
