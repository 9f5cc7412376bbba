import { assertEquals } from "@std/assert";
import { createHubServer, defineHub, type HubUser, MemoryBackplane } from "../../../mod.ts";
import { KeptLog } from "../../kit/log.ts";

const hub = defineHub({ methods: {} });

/** The status of a negotiate whose `authenticate` returns `user`, and the log. */
async function negotiate(user: unknown, options: { readonly maximumNameBytes?: number } = {}) {
  const logger = new KeptLog();
  await using server = createHubServer({
    hubs: { "/hub": hub },
    backplane: new MemoryBackplane(),
    logger,
    authenticate: () => user as HubUser,
    ...options,
  });
  const request = new Request("http://localhost/hub/negotiate", { method: "POST" });
  return { status: (await server.fetch(request)).status, log: logger.lines };
}

Deno.test("authenticate() fails with 500 and a log line when a user id cannot be used", async () => {
  const notText = "Cannot use user id: it is empty or not text";
  const cases: readonly (readonly [user: unknown, text: string])[] = [
    [{ id: 42 }, notText],
    [{ id: null }, notText],
    [{ name: "ann" }, notText],
    [{ id: { toString: () => "ann" } }, notText],
    [{ id: "half \ud83d" }, notText],
    ["ann", notText],
    [true, notText],
    [
      { id: "x".repeat(257) },
      "Cannot use user id: it is longer than 256 bytes, the maximumNameBytes",
    ],
    [
      { id: "é".repeat(129) },
      "Cannot use user id: it is longer than 256 bytes, the maximumNameBytes",
    ],
  ];
  for (const [user, text] of cases) {
    const { status, log } = await negotiate(user);
    assertEquals([status, log], [500, [`error authenticate failed: TypeError: ${text}`]]);
  }
  assertEquals((await negotiate({ id: "xxxx" }, { maximumNameBytes: 3 })).status, 500);
});

Deno.test("authenticate() may return a user with any id that can be addressed, or nobody", async () => {
  const users = [{ id: "x".repeat(256) }, { id: "é".repeat(128) }, { id: "" }, undefined, null];
  for (const user of users) assertEquals(await negotiate(user), { status: 200, log: [] });
});
