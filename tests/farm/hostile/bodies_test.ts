import { assert, assertEquals } from "@std/assert";
import { figure } from "./figures.ts";
import { inspected, inspecting, NOBODY, sendRaw } from "./raw_requests.ts";
import { onEachNode } from "./measured_node.ts";
import { writeAll } from "../../kit/tcp.ts";
import { bounded, fc } from "./runs.ts";
import { type Answer, frameOf, joined, lengthPrefixed } from "../../kit/wire_format.ts";
import { Witness } from "./witness.ts";
import { PollingPeer } from "../../kit/polling.ts";

const encoder = new TextEncoder();

/** As many bodies of one connection as a test wants. */
const MANY_POSTS = { maximumPostsPerConnection: 10_000 };

onEachNode(
  "what is posted before a transport is there waits for it, up to a bound",
  async (node) => {
    await using witness = await Witness.start(node);
    const handshake = '{"protocol":"json","version":1}\x1e';
    const early = await PollingPeer.negotiate(node.port);
    assertEquals((await early.post(handshake + inspecting(1, "early"))).status, 200);
    // More than there is room for is held; each is one call.
    const posts = Array.from(
      { length: 20 },
      (_, id) => early.post(inspecting(id + 2, "x".repeat(900))),
    );
    assertEquals((await early.poll()).status, 200);
    assertEquals(
      new Set((await Promise.all(posts)).map(({ status }) => status)),
      new Set([200]),
    );
    let text = "";
    while (text.split("\x1e").length < 23) text += (await early.poll()).text;
    assert(text.startsWith(`{}\x1e${inspected(1, '"early"')}`));
    assertEquals((await early.delete()).status, 202);
    await witness.alone();
  },
).forEach((test) => Deno.test(test));

onEachNode("bodies in parallel are taken one after the other, each whole", async (node) => {
  await using witness = await Witness.start(node);
  const peer = await PollingPeer.connect(node.port);
  const ids = Array.from({ length: 300 }, (_, id) => id);
  const posts = ids.map((id) => peer.post(inspecting(id, "x".repeat(2000))));
  const answered = new Set<string>();
  while (answered.size < ids.length) {
    const { status, text } = await peer.poll();
    assertEquals(status, 200);
    for (const record of text.split("\x1e").slice(0, -1)) {
      answered.add(JSON.parse(record).invocationId);
    }
  }
  assertEquals(new Set((await Promise.all(posts)).map(({ status }) => status)), new Set([200]));
  assertEquals((await peer.delete()).status, 202);
  await witness.alone();
}, MANY_POSTS).forEach((test) => Deno.test(test));

onEachNode("garbage in a body ends that connection and no other", async (node) => {
  await using witness = await Witness.start(node);
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 }).filter((bytes) =>
    bytes[0] !== 0x1e
  );
  const property = fc.asyncProperty(bytes, async (garbage) => {
    const peer = await PollingPeer.connect(node.port);
    const body = new Uint8Array([
      0x7b,
      ...garbage.map((byte) => byte === 0x1e ? 0x1f : byte),
      0x1e,
    ]);
    assertEquals((await peer.post(body)).status, 200);
    const { status, text } = await peer.poll();
    const [close] = text.split("\x1e");
    assertEquals([status, JSON.parse(close ?? "").type], [200, 7]);
    assertEquals((await peer.poll()).status, 204);
    assertEquals(await peer.poll(), NOBODY);
    await witness.served();
  });
  await fc.assert(property, bounded(40));
  await witness.alone();
}).forEach((test) => Deno.test(test));

onEachNode("any cut of a body, into bodies and chunks, gives the same calls", async (node) => {
  await using _witness = await Witness.start(node);
  const values = fc.array(fc.string({ unit: "grapheme" }), { minLength: 1, maxLength: 8 });
  const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 });
  const peer = await PollingPeer.connect(node.port);
  const property = fc.asyncProperty(
    values,
    places,
    fc.boolean(),
    async (values, places, chunked) => {
      const whole = encoder.encode(values.map((value, id) => inspecting(id, value)).join(""));
      const ends = [...places.sort((a, b) => a - b), 1].map((at) => Math.round(at * whole.length));
      const pieces = ends.map((end, index) => whole.slice(ends[index - 1] ?? 0, end));
      const bodies = chunked ? [ReadableStream.from(pieces)] : pieces;
      for (const body of bodies) assertEquals((await peer.post(body)).status, 200);
      const expected = values.map((value, id) =>
        inspected(id, JSON.stringify(value.toWellFormed()))
      );
      let text = "";
      while (text.split("\x1e").length <= values.length) text += (await peer.poll()).text;
      assertEquals(text.split("\x1e").map(parsed), expected.join("").split("\x1e").map(parsed));
    },
  );
  await fc.assert(property, bounded(60));
  assertEquals((await peer.delete()).status, 202);
}).forEach((test) => Deno.test(test));

onEachNode(
  "any cut of a body of MessagePack gives the same calls, and garbage none",
  async (node) => {
    await using witness = await Witness.start(node);
    const values = fc.array(fc.string(), { minLength: 1, maxLength: 8 });
    const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 });
    const peer = await PollingPeer.connect(node.port, "", "messagepack");
    const property = fc.asyncProperty(values, places, async (values, places) => {
      const calls = values.map((value, id) =>
        frameOf("messagepack", {
          type: 1,
          invocationId: `${id}`,
          target: "inspect",
          arguments: [value],
        })
      );
      const whole = joined(...calls);
      const ends = [...places.sort((a, b) => a - b), 1].map((at) => Math.round(at * whole.length));
      for (const [index, end] of ends.entries()) {
        const piece = whole.slice(ends[index - 1] ?? 0, end);
        assertEquals((await peer.post(piece)).status, 200);
      }
      const answers: Answer[] = [];
      while (answers.length < values.length) answers.push(...await peer.answers("messagepack"));
      const expected = values.map((value, id) => ({
        type: 3,
        invocationId: `${id}`,
        result: JSON.stringify(value.toWellFormed()),
      }));
      assertEquals(answers, expected);
      await witness.served();
    });
    await fc.assert(property, bounded(30));
    assertEquals((await peer.post(lengthPrefixed(new Uint8Array([0xc1])))).status, 200);
    const error = "Connection closed with an error.";
    assertEquals(await peer.answers("messagepack"), [{ type: 7, error, allowReconnect: true }]);
    assertEquals((await peer.poll()).status, 204);
    await witness.alone();
  },
).forEach((test) => Deno.test(test));

function parsed(record: string): unknown {
  return record === "" ? undefined : JSON.parse(record);
}

onEachNode("bodies that are cut off or wrongly framed harm nobody", async (node) => {
  await using witness = await Witness.start(node);
  const peer = await PollingPeer.connect(node.port);
  const { pathname, search } = new URL(peer.url);
  const head = `POST ${pathname}${search} HTTP/1.1\r\nHost: x\r\n`;
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`;
  const cases = [
    // What was taken of these stays; it is white space here, so that the next message is whole.
    `${head}Content-Length: 100\r\n\r\n   `,
    `${chunked}3\r\n   \r\n5\r\n  `,
    `${chunked}3\r\n   `,
    `${chunked}3\r\n   \r\n`,
    `${chunked}ffffffffffffffff\r\n`,
    `${chunked}-1\r\n   `,
    `${chunked}x\r\n   `,
    `${chunked}3;${"x".repeat(100_000)}`,
    `${head}Content-Length: -1\r\n\r\n`,
    `${head}Content-Length: 99999999999999999999\r\n\r\n`,
    `${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\n  `,
    `${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${head}Transfer-Encoding: gzip\r\n\r\n   `,
  ];
  for (const bytes of cases) {
    const statuses = await sendRaw(node.port, bytes);
    await witness.served();
    assert(statuses.every((status) => [200, 400, 404, 408, 413, 501].includes(status)), bytes);
  }
  assertEquals((await peer.post(inspecting(1, 1))).status, 200);
  assertEquals((await peer.poll()).text, inspected(1, "1"));
  assertEquals((await peer.delete()).status, 202);
  await witness.alone();
}).forEach((test) => Deno.test(test));

onEachNode(
  "a body over any limit is refused, or taken no faster than the hub takes it",
  async (node) => {
    await using witness = await Witness.start(node);
    const before = await witness.liveMiB();
    // One message that is too large.
    const large = await PollingPeer.connect(node.port);
    const [posted, polled] = await Promise.all([large.post("x".repeat(2 ** 24)), large.poll()]);
    assertEquals(posted.status, 200);
    assertEquals(
      polled.text,
      '{"type":7,"error":"Connection closed with an error.","allowReconnect":true}\x1e',
    );
    assertEquals((await large.poll()).status, 204);
    // Many that are not: 16 MiB of pings, and a call behind them.
    const patient = await PollingPeer.connect(node.port);
    const pings = '{"type":6}\x1e'.repeat(2 ** 24 / 11);
    const post = patient.post(pings + inspecting(1, 1));
    assertEquals((await patient.poll()).text, inspected(1, "1"));
    assertEquals((await post).status, 200);
    assertEquals((await patient.delete()).status, 202);
    await witness.alone();
    await witness.backTo(before, 8);
  },
).forEach((test) => Deno.test(test));

onEachNode(
  "1,000 bodies that come byte by byte hold up nobody, and go with their connection",
  async (node) => {
    await using witness = await Witness.start(node);
    const before = await witness.liveMiB();
    const peer = await PollingPeer.connect(node.port);
    const slow: Deno.TcpConn[] = [];
    for (let index = 0; index < 1000; index++) {
      slow.push(await peer.start("POST", { "content-length": "1000" }, " "));
    }
    for (let round = 0; round < 3; round++) {
      for (const connection of slow) await writeAll(connection, " ");
      await witness.served();
    }
    figure(`1,000 slow bodies: ${(await witness.liveMiB() - before).toFixed(1)} MiB`);
    // The connection that they belong to waits for the first of them; it can be ended.
    assertEquals((await peer.delete()).status, 202);
    const statuses = await Promise.all(slow.map(async (connection) => {
      const buffer = new Uint8Array(1024);
      const read = await connection.read(buffer).catch(() => null);
      connection.close();
      const answer = new TextDecoder().decode(buffer.subarray(0, read ?? 0));
      return /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
    }));
    assert(statuses.every((status) => status === "200" || status === "404"), `${statuses[0]}`);
    await witness.alone();
    await witness.backTo(before, 8);
  },
  MANY_POSTS,
).forEach((test) => Deno.test(test));
