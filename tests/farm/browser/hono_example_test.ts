import { assertEquals, assertRejects } from "@std/assert";
import { createApp } from "../../../examples/hono/app.ts";
import { MemoryBackplane } from "../../../mod.ts";
import { TestBrowser } from "../../kit/browser.ts";
import { Child } from "../../kit/child.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { Events } from "../../kit/wait.ts";
import { TRANSPORTS } from "../../kit/transport_names.ts";

const MAIN = new URL("../../../examples/hono/main.ts", import.meta.url).href;
const CONFIG = new URL("../../../examples/deno.json", import.meta.url).pathname;

/** The example behind a port of this process. */
function startExample() {
  const { app, server } = createApp(new MemoryBackplane());
  const http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.fetch);
  return {
    origin: `http://127.0.0.1:${http.addr.port}`,
    async [Symbol.asyncDispose]() {
      await server.close();
      await http.shutdown();
    },
  };
}

/** Orders something; resolves with the status and the body of the answer. */
async function order(origin: string, body: unknown): Promise<[status: number, body: unknown]> {
  const init = { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(`${origin}/api/orders`, init);
  const text = await response.text();
  return [response.status, response.ok || response.status === 400 ? JSON.parse(text) : text];
}

Deno.test("the Hono example brings what its API is told to clients over every transport", async () => {
  await using example = startExample();
  const { origin } = example;
  const soup = { id: 1, table: 7, dish: "soup" };
  for (const [n, transport] of Object.values(TRANSPORTS).entries()) {
    await using client = await SignalRClient.connect(`${origin}/kitchen`, { transport });
    const heard = new Events<unknown>();
    client.connection.on("ordered", heard.add);
    client.connection.on("finished", heard.add);
    const expected = { ...soup, id: n + 1 };
    assertEquals(await order(origin, { table: 7, dish: " soup " }), [201, expected]);
    assertEquals(await heard.next(), expected);
    assertEquals(await client.invoke("open"), [expected]);
    await client.invoke("finish", expected.id);
    assertEquals(await heard.next(), expected.id);
    await assertRejects(() => client.invoke("finish", expected.id), Error, "is not open");
  }
  assertEquals(await (await fetch(`${origin}/api/orders`)).json(), []);
});

Deno.test("the Hono example refuses orders that are none", async () => {
  await using example = startExample();
  const table = "table is not a number from 1 to 99";
  const dish = "dish is not a text of 1 to 80 characters";
  for (
    const [body, error] of [
      [null, table],
      [{ dish: "soup" }, table],
      [{ table: 1.5, dish: "soup" }, table],
      [{ table: 1 }, dish],
      [{ table: 1, dish: " " }, dish],
      [{ table: 1, dish: "x".repeat(81) }, dish],
    ] as const
  ) {
    assertEquals(await order(example.origin, body), [400, { error }]);
  }
  const [status] = await order(example.origin, { table: 1, dish: "x".repeat(2000) });
  assertEquals(status, 413);
});

Deno.test("the Hono example's page shows orders, under deno serve", async () => {
  await using app = Child.start(
    ...["serve", "--config", CONFIG, "--allow-net", "--host", "127.0.0.1", "--port", "0", MAIN],
  );
  const [, url = ""] = await app.until(/Listening on (http:\S+?)\/?\s/);
  await using browser = await TestBrowser.start();
  const [cook, waiter] = [await browser.open(url), await browser.open(url)];
  await cook.getByText("Connected", { exact: true }).waitFor();
  await waiter.getByLabel("Table").fill("12");
  await waiter.getByLabel("Dish").fill("<b>soup</b>");
  await waiter.getByRole("button", { name: "Order" }).click();
  await cook.getByText("Table 12: <b>soup</b>").waitFor();
  await waiter.getByText("Table 12: <b>soup</b>").waitFor();
  await cook.getByRole("button", { name: "Done" }).click();
  await waiter.getByText("Table 12").waitFor({ state: "detached" });
  assertEquals(await cook.getByRole("listitem").count(), 0);
});
