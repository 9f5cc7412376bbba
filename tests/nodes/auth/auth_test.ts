import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { ClientSockets } from "../../kit/client_sockets.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { bounded, Events } from "../../kit/wait.ts";
import { HOSTS } from "../../kit/servers/hosts.ts";
import { TRANSPORTS } from "../../kit/transport_names.ts";
import { AuthNode, SECRET } from "./auth_node.ts";
import { forge, goodClaims } from "./forge.ts";

const ANN = { name: "ann", password: "ann-secret" };
const BOB = { name: "bob", password: "bob-secret" };

/** What connecting with a token ends in: nothing, or the text of the error. */
async function outcome(url: string, token?: string): Promise<string | undefined> {
  const client = SignalRClient.make(url, token === undefined ? {} : { token });
  try {
    await bounded(client.connection.start());
    await client.connection.stop();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const UNAUTHORIZED =
  "Failed to complete negotiation with the server: Error: Unauthorized: Status code '401'";

for (const server of Object.keys(HOSTS)) {
  Deno.test(`examples/auth gives a token for a password, and takes it on every transport, on ${server}`, async () => {
    await using node = await AuthNode.start(server);
    assertEquals((await node.login({ ...ANN, password: "wrong" }))[0], 401);
    assertEquals((await node.login({ name: "eve", password: "ann-secret" }))[0], 401);
    assertEquals((await node.login({ name: "__proto__" }))[0], 401);
    for (const body of ["", "null", "{"]) assertEquals((await node.login(body))[0], 400, body);
    assertEquals((await node.login("x".repeat(1001)))[0], 413);
    const [status, token] = await node.login(ANN);
    assertEquals(status, 200);
    const claims = JSON.parse(atob(token.split(".")[1] ?? ""));
    assertEquals([claims.sub, claims.admin, claims.aud], ["ann", true, "board"]);
    assert(Math.abs(claims.exp - Date.now() / 1000 - 60) < 30);
    for (const transport of Object.values(TRANSPORTS)) {
      await using client = await SignalRClient.connect(node.url, { transport, token });
      assertEquals(await client.invoke("read"), []);
    }
    await using query = await SignalRClient.connect(`${node.url}?access_token=${token}`);
    assertEquals(await query.invoke("read"), []);
  });

  Deno.test(`examples/auth refuses every token that it has not made for itself, on ${server}`, async () => {
    await using node = await AuthNode.start(server);
    const claims = goodClaims();
    const { sub: _sub, ...nobody } = claims;
    const { exp: _exp, ...endless } = claims;
    const good = await forge(claims, SECRET);
    const [head = "", body = "", signature = ""] = good.split(".");
    const wrong: Readonly<Record<string, string | undefined>> = {
      "no token": undefined,
      "no JWT": "token",
      "another secret": await forge(claims, `${SECRET}!`),
      "another's body": `${head}.${
        (await forge({ ...claims, sub: "bob" }, SECRET)).split(".")[1]
      }.${signature}`,
      "no signature": `${head}.${body}.`,
      "alg none": await forge(claims, SECRET, { alg: "none" }),
      "another algorithm": await forge(claims, SECRET, { alg: "HS512" }),
      "expired": await forge({ ...claims, exp: claims.exp - 120 }, SECRET),
      "another audience": await forge({ ...claims, aud: "bank" }, SECRET),
      "another issuer": await forge({ ...claims, iss: "eve" }, SECRET),
      "no subject": await forge(nobody, SECRET),
      "no expiry": await forge(endless, SECRET),
    };
    for (const [why, token] of Object.entries(wrong)) {
      assertEquals(await outcome(node.url, token), UNAUTHORIZED, why);
    }
    // The hand that made them can make a good one as well.
    assertEquals(await outcome(node.url, good), undefined);
  });

  Deno.test(`examples/auth lets admins alone clear the board, on ${server}`, async () => {
    await using node = await AuthNode.start(server);
    const [[, admin], [, member]] = [await node.login(ANN), await node.login(BOB)];
    const cleared = new Events<unknown>();
    await using ann = await SignalRClient.connect(node.url, { token: admin });
    await using bob = await SignalRClient.connect(node.url, { token: member });
    ann.connection.on("cleared", cleared.add);
    await bob.invoke("write", "hello");
    const { message } = await assertRejects(() => bob.invoke("clear"), Error);
    assertEquals(message, "Failed to invoke 'clear' because user is unauthorized");
    assertEquals(await bob.invoke("read"), ["hello"]);
    await ann.invoke("clear");
    assertEquals(await bob.invoke("read"), []);
    assertEquals(await cleared.next(), "ann");
    // Only what is exactly true makes an admin.
    const token = await forge({ ...goodClaims(), sub: "eve", admin: "true" }, SECRET);
    await using eve = await SignalRClient.connect(node.url, { token });
    await assertRejects(() => eve.invoke("clear"), Error, "user is unauthorized");
  });

  Deno.test(`examples/auth closes a connection when its token expires, and the client comes back with a new one, on ${server}`, async () => {
    await using node = await AuthNode.start(server, 5);
    const tokens: string[] = [];
    const accessTokenFactory = async () => {
      const [, token] = await node.login(ANN);
      tokens.push(token);
      return token;
    };
    const sockets = new ClientSockets();
    const { WebSocket, EventSource } = sockets;
    const connections = Object.entries(TRANSPORTS).map(([name, transport]) => {
      const connection = new HubConnectionBuilder()
        .withUrl(node.url, { transport, accessTokenFactory, ...{ WebSocket, EventSource } })
        .withAutomaticReconnect([0, 0, 0]).configureLogging(LogLevel.None).build();
      const reconnected = new Events<string | undefined>();
      connection.onreconnected(reconnected.add);
      return { name, connection, reconnected };
    });
    try {
      await bounded(Promise.all(connections.map(({ connection }) => connection.start())));
      const before = tokens.length;
      const ids = connections.map(({ connection }) => connection.connectionId);
      for (const [index, { name, connection, reconnected }] of connections.entries()) {
        assertNotEquals(await reconnected.next(), ids[index], name);
        assert(Array.isArray(await bounded(connection.invoke("read"))), name);
      }
      assert(tokens.length >= before + 3);
      // A second later than the first at the earliest, so none is used twice.
      assert(!tokens.slice(before).some((token) => tokens.slice(0, before).includes(token)));
    } finally {
      await Promise.all(connections.map(({ connection }) => bounded(connection.stop())));
      await sockets.closed();
    }
  });
}

// The other side: what it is like does not depend on the server.
Deno.test("examples/auth/client.ts signs in, writes, and clears the board if it may", async () => {
  await using node = await AuthNode.start("fetch", 5);
  await using bob = node.client("bob", "bob-secret", "--clear");
  await bob.until(/^Failed to invoke 'clear' because user is unauthorized\n/);
  await bob.until(/bob: bob was here\n/);
  await bob.until(/1 notes\n/);
  await using ann = node.client("ann", "ann-secret", "--clear");
  await bob.until(/cleared by ann\nann: ann was here\n/);
  await ann.until(/1 notes\n/);
  // Its token expires.
  await ann.until(/reconnected\n/);
  await using eve = node.client("eve", "guess");
  await eve.until(/Cannot sign in as eve: 401/);
});
