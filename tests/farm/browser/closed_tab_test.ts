import { assertEquals } from "@std/assert";
import { TestBrowser } from "../../kit/browser.ts";
import { ENDLESS, endlessHub } from "../../kit/endless_hub.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { ScriptSite } from "./script_site.ts";

/** Calls a stream in the browser; resolves when the first item has come. */
async function watch([url, method]: readonly [url: string, method: string]): Promise<unknown> {
  const { signalR } = globalThis as unknown as { signalR: typeof import("@microsoft/signalr") };
  const connection = new signalR.HubConnectionBuilder()
    .withUrl(url).configureLogging(signalR.LogLevel.None).build();
  await connection.start();
  return await new Promise((next, error) => {
    connection.stream(method).subscribe({ next, error, complete: () => error("no item") });
  });
}

onEachServer("an endless stream ends when its browser's tab is closed", async (serve) => {
  const { hub, ended } = endlessHub();
  await using site = new ScriptSite();
  await using node = await serve({
    hubs: { "/hub": hub },
    cors: { origins: [site.origin] },
    webSockets: { allowedOrigins: [site.origin] },
  });
  await using other = await SignalRClient.connect(node.url("/hub"));
  await using browser = await TestBrowser.start();
  for (const source of ENDLESS) {
    const page = await browser.open(site.origin);
    assertEquals(await page.evaluate(watch, [node.url("/hub"), source] as const), 0);
    await page.close();
    assertEquals(await ended.next(), source);
    assertEquals(await other.invoke("echo", source), source);
  }
}).forEach((test) => Deno.test(test));
