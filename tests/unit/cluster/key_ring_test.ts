import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { FarmKey } from "../../../hub/bus/node_messages.ts";
import { KeyRing } from "../../../hub/cluster/key_ring.ts";
import { settle } from "../../kit/pipe.ts";
import { ClusterFarm, type ClusterNode } from "./farm.ts";

function key(created: number, tag = created): FarmKey {
  return { created, tag, secret: new Uint8Array(32).fill(created) };
}

/** The key that a node signs with. */
function signing({ cluster }: ClusterNode): FarmKey {
  return cluster.keys.signing;
}

Deno.test("KeyRing makes a key when one is needed and none is known, and only then", () => {
  const one = new KeyRing(() => 5);
  assertEquals(one.told, []);
  const { created, tag, secret } = one.signing;
  assertEquals([created, secret.length, tag >= 0 && tag <= 0xffff], [5, 32, true]);
  assertEquals(one.told, [one.signing]);
  const two = new KeyRing(() => 5);
  two.learn(one.told);
  assertEquals([two.signing, two.told], [one.signing, one.told]);
});

Deno.test("KeyRing signs with the oldest key, and knows every key by its tag", () => {
  const ring = new KeyRing(() => 50);
  const own = ring.signing;
  assertEquals(ring.learn([key(7), key(60)]), true);
  assertEquals(ring.signing, key(7));
  assertEquals([ring.withTag(7), ring.withTag(60)], [[key(7)], [key(60)]]);
  assert(ring.withTag(own.tag).includes(own));
  assertEquals(ring.learn([key(60), own, key(7)]), false);
  // Two keys may have one tag.
  ring.learn([key(8, 7)]);
  assertEquals(ring.withTag(7), [key(7), key(8, 7)]);
});

Deno.test("KeyRing keeps its own copies: the bytes of a message are the bus's again", () => {
  const ring = new KeyRing(() => 50);
  const secret = new Uint8Array(32).fill(7);
  ring.learn([{ created: 7, tag: 7, secret }]);
  secret.fill(0);
  assertEquals(ring.signing, key(7));
});

Deno.test("KeyRing knows for a minute every key that it has signed with, whatever others tell", () => {
  let now = 100_000;
  const ring = new KeyRing(() => now);
  const own = ring.signing;
  const signed = new Map<FarmKey, number>([[own, now]]);
  for (let created = 90_000; created > 0; created -= 45) {
    now += 10;
    ring.learn([key(created, created & 0xffff)]);
    signed.set(ring.signing, now);
    for (const [key, at] of signed) {
      if (now - at < 60_000) {
        assert(ring.withTag(key.tag).includes(key), `${key.created} at ${now}`);
      }
    }
  }
  assertEquals([signed.size, ring.told.length], [5, 16]);
  now += 60_000;
  assertEquals(ring.signing, ring.told[0]);
  now += 60_000;
  ring.learn([key(1)]);
  assertEquals([ring.signing, ring.withTag(own.tag)], [key(1), []]);
});

Deno.test("rings that hear each other end with the same keys, at most 16, and their own", () => {
  const created = fc.uniqueArray(fc.nat(200), { minLength: 1, maxLength: 40 });
  fc.assert(fc.property(created, (dates) => {
    const rings = dates.map((date) => new KeyRing(() => date));
    const own = rings.map((ring) => ring.signing);
    for (const one of rings) for (const two of rings) two.learn([...one.told]);
    let lacking = true;
    for (let round = 0; lacking; round++) {
      assert(round < 3, "The rings do not agree");
      lacking = false;
      for (const one of rings) {
        for (const two of rings) lacking = two.learn(one.told) || lacking;
      }
    }
    const oldest = dates.toSorted((a, b) => a - b).slice(0, 16);
    rings.forEach((ring, index) => {
      assertEquals(ring.told.map(({ created }) => created), oldest);
      const mine = own[index];
      assert(mine !== undefined && ring.withTag(mine.tag).includes(mine));
    });
  }));
});

Deno.test("a node that starts learns the farm's key before it is ready, and the key outlives all", async () => {
  await using farm = new ClusterFarm();
  const first = await farm.start("n0");
  const original = signing(first);
  let last = first;
  for (let generation = 1; generation < 5; generation++) {
    const next = farm.add(`n${generation}`);
    await next.cluster.start();
    assertEquals(signing(next), original);
    assertEquals(next.cluster.keys.told.length, 1);
    await last.cluster.close();
    await last.backplane.close();
    await farm.seconds(2, [next]);
    last = next;
  }
});

Deno.test("nodes that start at once agree on one key, and know the keys of each other at once", async () => {
  await using farm = new ClusterFarm();
  farm.bus.stop();
  const nodes = ["a", "b", "c"].map((name) => farm.add(name));
  // They have served clients meanwhile.
  const own = nodes.map(signing);
  const starting = nodes.map(({ cluster }) => cluster.start());
  farm.bus.start();
  await farm.seconds(2, []);
  await Promise.all(starting);
  await settle();
  const [one] = nodes;
  assert(one !== undefined);
  for (const node of nodes) {
    assertEquals(signing(node), signing(one));
    assertEquals(own.every(({ tag }) => node.cluster.keys.withTag(tag).length > 0), true);
  }
});

Deno.test("a node that lost every sign of another one learns the key with the next sign", async () => {
  await using farm = new ClusterFarm();
  const one = await farm.start("a");
  one.backplane.swallowsPublish = () => true;
  const two = farm.add("b");
  const starting = two.cluster.start();
  await farm.seconds(2, []);
  await starting;
  assert(signing(two).tag !== signing(one).tag);
  one.backplane.swallowsPublish = () => false;
  await farm.seconds(1);
  assertEquals(signing(two), signing(one));
  assertEquals(one.cluster.keys.told, two.cluster.keys.told);
});

Deno.test("keys are in no list of nodes and in no entry of the log", async () => {
  await using farm = new ClusterFarm();
  const one = await farm.start("a");
  const two = await farm.start("b");
  await farm.seconds(6, [one]);
  const { secret } = signing(one);
  const texts = [one, two].map(({ cluster, log, changes }) => {
    return JSON.stringify([cluster.nodes, log.lines, changes]);
  }).join();
  for (const text of ["keys", "secret", JSON.stringify(secret).slice(1, 20)]) {
    assertEquals(texts.includes(text), false, text);
  }
});
