import { assertEquals } from "@std/assert";
import { defineHub, type HubContext, type HubServerOptions } from "../../../mod.ts";
import { TestBrowser } from "../../kit/browser.ts";
import { onEachServer, type Serve } from "../../kit/servers/each_server.ts";
import { TRANSPORTS } from "../../kit/transport_names.ts";
import { ScriptSite } from "./script_site.ts";

type Context = HubContext<{ got(value: unknown): void }>;

function startNode(serve: Serve, options: HubServerOptions) {
  const hub = defineHub({
    methods: {
      echo: (_context: Context, value: unknown) => value,
      cookie: ({ request }: Context) => request.headers.get("cookie"),
      async tell({ clients }: Context, value: unknown) {
        await clients.caller.send("got", value);
      },
    },
  });
  return serve({
    ...options,
    hubs: { "/hub": hub },
    authenticate(request) {
      const url = new URL(request.url);
      const [, header] = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
      const id = header ?? url.searchParams.get("access_token");
      return id === null ? new Response(null, { status: 401 }) : { id };
    },
  });
}

interface Visit {
  readonly url: string;
  readonly transport: number;
  readonly skipNegotiation?: boolean;
}

/** What a page does, in the browser; resolves with what it saw. */
async function visit(
  { url, transport, skipNegotiation = false }: Visit,
): Promise<unknown[]> {
  const { signalR } = globalThis as unknown as { signalR: typeof import("@microsoft/signalr") };
  const connection = new signalR.HubConnectionBuilder()
    .withUrl(url, {
      transport,
      skipNegotiation,
      accessTokenFactory: () => "ann",
      headers: { "x-mine": "yes" },
    })
    .configureLogging(signalR.LogLevel.None).build();
  const got: unknown[] = [];
  connection.on("got", (value: unknown) => got.push(value));
  try {
    await connection.start();
    await connection.invoke("tell", "hello");
    got.push(
      await connection.invoke("echo", "ü".repeat(10_000)).then((text: string) => text.length),
    );
    got.push(await connection.invoke("cookie"));
    await connection.stop();
    return got;
  } catch {
    return ["refused"];
  }
}

onEachServer(
  "fetch() serves pages of a listed origin over every transport, with cookies",
  async (serve) => {
    await using site = new ScriptSite();
    await using node = await startNode(serve, {
      cors: { origins: [site.origin] },
      webSockets: { allowedOrigins: [site.origin] },
    });
    await using browser = await TestBrowser.start();
    const page = await browser.open(site.origin);
    // Cookies know no ports: the page's are sent to the node as well.
    await page.context().addCookies([{ name: "a", value: "b", url: site.origin }]);
    for (const [name, transport] of Object.entries(TRANSPORTS)) {
      const saw = await page.evaluate(visit, { url: node.url("/hub"), transport });
      assertEquals(saw, ["hello", 10_000, "a=b"], name);
    }
    const direct = {
      url: node.url("/hub"),
      transport: TRANSPORTS.WebSockets,
      skipNegotiation: true,
    };
    assertEquals(await page.evaluate(visit, direct), ["hello", 10_000, "a=b"]);
  },
).forEach((test) => Deno.test(test));

onEachServer("fetch() refuses pages of any other origin over every transport", async (serve) => {
  await using site = new ScriptSite();
  const listed = "https://app.example";
  await using node = await startNode(serve, {
    cors: { origins: [listed] },
    webSockets: { allowedOrigins: [listed] },
  });
  await using browser = await TestBrowser.start();
  const page = await browser.open(site.origin);
  for (const [name, transport] of Object.entries(TRANSPORTS)) {
    const saw = await page.evaluate(visit, { url: node.url("/hub"), transport });
    assertEquals(saw, ["refused"], name);
  }
  // What a WebSocket skips, the list of origins sees.
  const direct = { url: node.url("/hub"), transport: TRANSPORTS.WebSockets, skipNegotiation: true };
  assertEquals(await page.evaluate(visit, direct), ["refused"]);
}).forEach((test) => Deno.test(test));
