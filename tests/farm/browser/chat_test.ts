import { assert, assertEquals } from "@std/assert";
import { type Demo, Program, startDemo } from "../demo/program.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { TestBrowser } from "../../kit/browser.ts";
import { ChatWindow } from "./chat_window.ts";

/** Two people, each on a node of `demo`. */
async function openBoth(browser: TestBrowser, { urls }: Demo): Promise<[ChatWindow, ChatWindow]> {
  const ann = await ChatWindow.open(browser, urls[0], "Ann");
  const bob = await ChatWindow.open(browser, urls[1], "Bob");
  await ann.notice("Bob joined").waitFor();
  return [ann, bob];
}

Deno.test("page shows what is said on the other node, by whom and where", async () => {
  const demo = await startDemo();
  await using _ended = demo.program;
  await using browser = await TestBrowser.start();
  const [ann, bob] = await openBoth(browser, demo);
  assertEquals(await ann.page.locator("#node").textContent(), `node ${demo.ports[0]}`);
  assertEquals(await bob.page.locator("#node").textContent(), `node ${demo.ports[1]}`);

  await ann.say("hello");
  assertEquals(await bob.sender("hello"), { from: "Ann", node: `node ${demo.ports[0]}` });
  await bob.say("hello yourself");
  assertEquals(await ann.sender("hello yourself"), { from: "Bob", node: `node ${demo.ports[1]}` });
  assertEquals(await bob.message("hello yourself").getAttribute("class"), "message mine");
  assertEquals([...ann.errors, ...bob.errors], []);
});

Deno.test("page keeps rooms apart and tells who joins and leaves them", async () => {
  const demo = await startDemo();
  await using _ended = demo.program;
  await using browser = await TestBrowser.start();
  const [ann, bob] = await openBoth(browser, demo);
  await ann.join("travel");
  await bob.join("travel");
  await ann.notice(`Bob joined · node ${demo.ports[1]}`).waitFor();

  await bob.openRoom("lobby");
  await bob.say("for the lobby");
  await ann.roomItem("lobby").getByText("1 unread").waitFor();
  assertEquals(await ann.message("for the lobby").count(), 0);
  await ann.openRoom("lobby");
  await ann.message("for the lobby").waitFor();
  assertEquals(await ann.roomItem("lobby").getByText("unread").count(), 0);

  await ann.openRoom("travel");
  await bob.leave("travel");
  await ann.notice(`Bob left · node ${demo.ports[1]}`).waitFor();
  await ann.say("only travellers");
  await ann.message("only travellers").waitFor();
  await ann.openRoom("lobby");
  await ann.say("everybody");
  // One sender's messages keep their order: the one before would have been here by now.
  await bob.message("everybody").waitFor();
  assertEquals(await bob.page.getByText("only travellers").count(), 0);
  assertEquals([...ann.errors, ...bob.errors], []);
});

Deno.test("page shows markup in messages, names and rooms as text", async () => {
  const demo = await startDemo();
  await using _ended = demo.program;
  await using browser = await TestBrowser.start();
  const script = "<script>document.title = 'owned'</script>";
  const image = "<img src=x onerror=alert(1)>";
  const ann = await ChatWindow.open(browser, demo.urls[0], "Ann");
  const eve = await ChatWindow.open(browser, demo.urls[1], image);
  await ann.notice(`${image} joined`).waitFor();
  await ann.join("<b>bold</b>");
  await eve.join("<b>bold</b>");
  await eve.say(script);
  assertEquals(await ann.sender(script), { from: image, node: `node ${demo.ports[1]}` });
  for (const { page } of [ann, eve]) {
    assertEquals(await page.locator("body script, .log img, #rooms b, main b").count(), 0);
    assertEquals(await page.title(), `node ${new URL(page.url()).port} · Hubplane chat`);
  }
  assertEquals([...ann.errors, ...eve.errors], []);
});

Deno.test("page says that it is reconnecting when its node is killed, and comes back to its rooms", async () => {
  await using redis = await startRedis();
  const bus = redisUrl(redis, "browser:");
  const demo = await startDemo(bus);
  await using _ended = demo.program;
  await using browser = await TestBrowser.start();
  const [ann, bob] = await openBoth(browser, demo);
  await bob.join("travel");
  Deno.kill(demo.pids[1] ?? 0, "SIGKILL");
  await bob.is("reconnecting");
  await bob.notice("The connection is lost").waitFor();
  assertEquals(await bob.page.getByRole("button", { name: "Send" }).isDisabled(), true);
  await ann.say("still here");
  await ann.message("still here").waitFor();

  await using again = new Program("node", [`--port=${demo.ports[1]}`, `--backplane=${bus}`]);
  await again.until(/serves http/);
  await bob.is("connected");
  await bob.openRoom("lobby");
  await ann.notice("Bob joined").nth(1).waitFor();
  await ann.say("welcome back");
  await bob.message("welcome back").waitFor();
  assertEquals([...ann.errors, ...bob.errors], []);
});

Deno.test("page says that others may lack a message while the bus is away", async () => {
  await using redis = await startRedis();
  const demo = await startDemo(redisUrl(redis, "browser:"));
  await using _ended = demo.program;
  await using browser = await TestBrowser.start();
  const [ann, bob] = await openBoth(browser, demo);
  await redis.stop();
  await ann.say("is anybody there?");
  const warning = ann.message("is anybody there?").locator(".warning");
  assertEquals(await warning.textContent(), "People on other nodes may not have this message.");
  await ann.is("connected");

  await redis.start();
  // The nodes find the bus again by themselves; what is said before both have done so can be lost.
  let arrived = false;
  for (let attempt = 1; attempt <= 30 && !arrived; attempt++) {
    await ann.say(`attempt ${attempt}`);
    const arrival = bob.message(`attempt ${attempt}`).waitFor({ timeout: 500 });
    arrived = await arrival.then(() => true, () => false);
  }
  assert(arrived, "nothing arrives after the bus has come back");
  assertEquals([...ann.errors, ...bob.errors], []);
});

/** How light a colour is that the page gives as `oklch(…)`, from 0 to 1. */
function lightness(colour: string): number {
  return Number(/^oklch\(([\d.]+) /.exec(colour)?.[1]);
}

Deno.test("page is dark on light, or light on dark where that is wanted", async () => {
  const demo = await startDemo();
  await using _ended = demo.program;
  await using browser = await TestBrowser.start();
  for (const colorScheme of ["light", "dark"] as const) {
    const { page, errors } = await ChatWindow.open(browser, demo.urls[0], "ann", { colorScheme });
    const colours: [string, string] = await page.evaluate(
      "(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(document.body))",
    );
    const [text, background] = colours.map(lightness);
    const contrast = ((text ?? 0) - (background ?? 0)) * (colorScheme === "dark" ? 1 : -1);
    assert(contrast > 0.5, `${colorScheme}: ${colours}`);
    assertEquals(errors, []);
  }
});

Deno.test("page fits narrow and wide windows, whatever people write", async () => {
  const demo = await startDemo();
  await using _ended = demo.program;
  await using browser = await TestBrowser.start();
  const sizes = [{ width: 1280, height: 800 }, { width: 390, height: 844 }];
  for (const [index, viewport] of sizes.entries()) {
    const name = "N".repeat(39) + index;
    const window = await ChatWindow.open(browser, demo.urls[0], name, { viewport });
    await window.join("R".repeat(40));
    await window.say("x".repeat(500));
    await window.message("x".repeat(500)).waitFor();
    const { page } = window;
    const overflow = await page.evaluate("document.body.scrollWidth - innerWidth");
    assertEquals(overflow, 0, `${viewport.width} wide`);
    assert(await page.getByRole("button", { name: "Send" }).isVisible());
    for (const field of await page.locator("input, textarea").all()) {
      const box = await field.boundingBox();
      assert(box !== null && box.x >= 0 && box.x + box.width <= viewport.width);
      assert(box.height >= 40, "a field is too small to be touched");
    }
    assertEquals(window.errors, []);
  }
});
