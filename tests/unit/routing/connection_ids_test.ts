import { assertEquals, assertMatch } from "@std/assert";
import { isDotnetConnectionId } from "../../../hub/routing/names.ts";
import { createHubServer, defineHub, MemoryBackplane } from "../../../mod.ts";

Deno.test("isDotnetConnectionId() tells ASP.NET Core's ids from those of this library", async () => {
  // The first is one of a real node.
  for (
    const id of [
      "HKGElKMejwvZ5urW3TCnUg",
      "A".repeat(22),
      `${"-".repeat(21)}Q`,
      "_".repeat(21) + "w",
    ]
  ) {
    assertEquals(isDotnetConnectionId(id), true, id);
  }
  for (
    const id of [
      "",
      "nobody",
      "A".repeat(21),
      "A".repeat(23),
      `${"A".repeat(21)}B`,
      `${"/".repeat(21)}A`,
    ]
  ) {
    assertEquals(isDotnetConnectionId(id), false, id);
  }
  await using server = createHubServer({
    hubs: { "/hub": defineHub({ methods: {} }) },
    backplane: new MemoryBackplane(),
  });
  const url = "http://localhost/hub/negotiate?negotiateVersion=1";
  for (let time = 0; time < 100; time++) {
    const response = await server.fetch(new Request(url, { method: "POST" }));
    const { connectionId } = await response.json();
    assertMatch(connectionId, /^[\w-]{22}$/);
    assertEquals(isDotnetConnectionId(connectionId), false, connectionId);
  }
});
