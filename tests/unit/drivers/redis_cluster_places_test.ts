import { assert, assertEquals } from "@std/assert";
import type { Redis } from "ioredis";
import { ClusterPlaces } from "../../../backplanes/redis/cluster_places.ts";

/** The little that is used of a client of one server. */
function master(port: number): Redis {
  return { options: { host: "10.0.0.1", port } } as unknown as Redis;
}

/** An answer to CLUSTER SLOTS: one range of slots for each port. */
function slots(...ports: number[]) {
  return ports.map((port, index) => [index, index, ["10.0.0.1", port, `id${port}`, []]]);
}

const masters = [master(1), master(2), master(3)];

Deno.test("ClusterPlaces chooses different servers for the two connections, where there are two", () => {
  for (let tries = 0; tries < 50; tries++) {
    const places = new ClusterPlaces();
    const publisher = places.choose("publisher", masters);
    const subscriber = places.choose("subscriber", masters);
    assert(publisher !== undefined && subscriber !== undefined && publisher !== subscriber);
    assert(places.choose("publisher", masters) !== subscriber);
  }
  const places = new ClusterPlaces();
  const [one] = masters;
  assert(one !== undefined);
  assertEquals(places.choose("publisher", [one]), one);
  assertEquals(places.choose("subscriber", [one]), one);
  assertEquals(places.choose("subscriber", []), undefined);
});

Deno.test("ClusterPlaces avoids a server that failed, for 30 s", () => {
  const choices = (places: ClusterPlaces, now: number) =>
    new Set(Array.from({ length: 50 }, () => places.choose("publisher", masters, now)));
  for (let tries = 0; tries < 20; tries++) {
    const places = new ClusterPlaces();
    const dead = places.choose("publisher", masters, 0);
    assert(dead !== undefined);
    places.failed("publisher", 0);
    assertEquals(choices(places, 29_999), new Set(masters.filter((master) => master !== dead)));
    assertEquals(choices(places, 30_000), new Set(masters));
    places.choose("publisher", [dead], 40_000);
    places.failed("publisher", 40_000);
    // It is tried again rather than the server of the other connection.
    const subscriber = places.choose("subscriber", masters, 40_000);
    const third = masters.find((master) => master !== dead && master !== subscriber);
    assertEquals(places.choose("publisher", masters, 40_000), third);
    places.failed("publisher", 40_001);
    assertEquals(places.choose("publisher", masters, 40_002), dead);
    places.failed("publisher", 40_002);
    assertEquals(places.choose("publisher", masters, 40_003), third);
  }
});

Deno.test("ClusterPlaces notices when a server of either connection is no longer listed", () => {
  for (const role of ["publisher", "subscriber"] as const) {
    const places = new ClusterPlaces();
    places.choose(role, masters.slice(0, 1));
    places.choose(role === "publisher" ? "subscriber" : "publisher", masters.slice(1, 2));
    assertEquals(places.left(slots(1, 2, 3)), false);
    assertEquals(places.left(slots(2, 3)), true);
    // The connection is made anew, to a server that is listed.
    places.choose(role, masters.slice(2));
    assertEquals(places.left(slots(2, 3)), false);
  }
});

Deno.test("ClusterPlaces notices a server that knows no cluster any longer", () => {
  const places = new ClusterPlaces();
  places.choose("publisher", masters);
  assertEquals(places.left([]), true);
});

Deno.test("ClusterPlaces takes a server whose address is listed otherwise for a member", () => {
  const places = new ClusterPlaces();
  // A natMap changed the address.
  places.choose("publisher", [master(7)]);
  assertEquals(places.left(slots(1, 2)), false);
  assertEquals(places.left(slots(2)), false);
  // The server does not tell.
  assertEquals(places.left(undefined), false);
});
