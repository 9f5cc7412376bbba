import { assert, assertEquals } from "@std/assert";
import { figure } from "./figures.ts";
import { inspected, inspecting, NOBODY, sendRaw } from "./raw_requests.ts";
import { onEachNode } from "./measured_node.ts";
import { Witness } from "./witness.ts";
import { PollingPeer } from "../../kit/polling.ts";
import { ask } from "../../kit/http.ts";

onEachNode("odd requests get their documented answers", async (node) => {
  await using _witness = await Witness.start(node);
  const hub = `http://127.0.0.1:${node.port}/hub`;
  for (const method of ["PUT", "PATCH", "HEAD", "OPTIONS", "PROPFIND"]) {
    assertEquals(await ask(hub, { method }), { status: 405, text: "" }, method);
    assertEquals(await ask(`${hub}/negotiate`, { method }), { status: 405, text: "" }, method);
  }
  assertEquals((await ask(`${hub}/negotiate`)).status, 405);
  for (const method of ["GET", "POST", "DELETE"]) {
    const required = { status: 400, text: "Connection ID required" };
    assertEquals(await ask(hub, { method }), required);
    assertEquals(await ask(`${hub}?id=`, { method }), required);
    for (const id of ["__proto__", "constructor", "../..", "%00", "x".repeat(8000), "%F0%28"]) {
      assertEquals(await ask(`${hub}?id=${id}`, { method }), NOBODY, `${method} ${id}`);
    }
  }
  for (const version of ["x", "NaN", "-", "1.5", "1e3", "99999999999", "0x1", ""]) {
    const { status, text } = await ask(`${hub}/negotiate?negotiateVersion=${version}`, {
      method: "POST",
    });
    const error = "The client requested a non-integer protocol version.";
    assertEquals([status, text], [200, JSON.stringify({ error })], version);
  }
  for (
    const path of ["/hub/x", "//hub", "/hub%2fnegotiate", "/hub/negotiate/x", "/__proto__", "/"]
  ) {
    const { status } = await ask(`http://127.0.0.1:${node.port}${path}`, { method: "POST" });
    assertEquals(status, 404, path);
  }
}).forEach((test) => Deno.test(test));

onEachNode("queries and headers of any size are answered or refused", async (node) => {
  await using witness = await Witness.start(node);
  const before = await witness.liveMiB();
  const request = (line: string, header = "") =>
    sendRaw(node.port, `${line} HTTP/1.1\r\nHost: x\r\n${header}Connection: close\r\n\r\n`);
  const refusals = new Set<number | undefined>();
  for (const size of [10_000, 60_000, 100_000, 1_000_000, 4_000_000]) {
    const long = "x".repeat(size);
    for (
      const answer of [
        await request(`GET /hub?id=${long}`),
        await request(`GET /hub?${"a&".repeat(size / 2)}`),
        await request("GET /hub?id=1", `X: ${long}\r\n`),
        await request("GET /hub?id=1", "A: b\r\n".repeat(size / 6)),
        await request(`${long} /hub`),
      ]
    ) {
      const [status] = answer;
      refusals.add(status);
      // 414 and 431 are the server's own; a connection that ends without an answer is a refusal too.
      assert(status === undefined || [400, 404, 405, 414, 431, 501].includes(status), `${status}`);
    }
    await witness.served();
  }
  figure(`refused with ${[...refusals].join(", ")}`);
  await witness.backTo(before, 8);
}).forEach((test) => Deno.test(test));

onEachNode("nobody reaches a connection without its token, nor with another user", async (node) => {
  await using _witness = await Witness.start(node);
  const ann = await PollingPeer.connect(node.port, "&user=ann");
  const url = new URL(ann.url);
  const token = url.searchParams.get("id") ?? "";
  const hub = `http://127.0.0.1:${node.port}/hub?id=`;
  const changed = [...token].map((_, at) =>
    token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1)
  );
  const others = [...changed, token.slice(1), `${token}=`, token.toLowerCase(), `${token}%00`];
  for (const id of others) {
    if (id === token) continue;
    for (const method of ["GET", "POST", "DELETE"]) {
      assertEquals(await ask(`${hub}${id}&user=ann`, { method }), NOBODY);
    }
  }
  // With the token, but as somebody else.
  const other = { status: 403, text: "The user associated with this connection changed." };
  for (const user of ["", "&user=bob", "&user=__proto__", "&user=Ann"]) {
    for (const method of ["GET", "POST", "DELETE"]) {
      assertEquals(await ask(`${hub}${token}${user}`, { method }), other);
    }
  }
  // The connection has noticed nothing.
  assertEquals((await ann.post(inspecting(1, 1))).status, 200);
  assertEquals((await ann.poll()).text, inspected(1, "1"));
  assertEquals((await ann.delete()).status, 202);
}).forEach((test) => Deno.test(test));

onEachNode("an id that is given twice is none", async (node) => {
  const ann = await PollingPeer.connect(node.port);
  const bob = await PollingPeer.connect(node.port);
  const query = new URL(bob.url).search.slice(1);
  assertEquals(await ask(`${ann.url}&${query}`, { method: "POST" }), NOBODY);
  assertEquals(await ask(`${ann.url}&id=`, { method: "POST" }), NOBODY);
  for (const peer of [ann, bob]) assertEquals((await peer.delete()).status, 202);
}).forEach((test) => Deno.test(test));

onEachNode("polls that race leave one, and the others are told", async (node) => {
  await using witness = await Witness.start(node);
  const peer = await PollingPeer.connect(node.port);
  const polls = Array.from({ length: 200 }, () => peer.poll());
  // Each is ended by the next, but for the last, which gets the answer.
  await Promise.race(polls);
  assertEquals((await peer.post(inspecting(1, 1))).status, 200);
  const first = await Promise.any(polls.map(async (poll) => {
    const { status, text } = await poll;
    if (status === 200) return text;
    throw new Error(`${status}`);
  }));
  assertEquals(first, inspected(1, "1"));
  assertEquals((await peer.delete()).status, 202);
  const statuses = (await Promise.all(polls)).map(({ status }) => status);
  assert(statuses.every((status) => [200, 204, 404].includes(status)), `${statuses}`);
  await witness.alone();
}).forEach((test) => Deno.test(test));
