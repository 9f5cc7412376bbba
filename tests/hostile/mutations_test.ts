import { assert } from "@std/assert";
import { type Case, CaseRunner, type Tally } from "./cases.ts";
import { figure } from "./figures.ts";
import { type Kind, KINDS } from "./kinds.ts";
import { onEachNode } from "./measured_node.ts";
import { EFFORT } from "./runs.ts";
import {
  frameOf,
  joined,
  lengthPrefixed,
  PROTOCOL_NAMES,
  type ProtocolName,
} from "./wire_format.ts";
import { Witness } from "./witness.ts";

/** How many connections try cases at a time. */
const LANES = 8;

/** Every way to cut a message off. */
function* truncations(protocol: ProtocolName, kind: Kind): Generator<Case> {
  const frame = frameOf(protocol, kind.message);
  const prefix = protocol === "json" ? 0 : frame.length < 128 ? 1 : 2;
  for (let length = 0; length < frame.length; length++) {
    const name = `${kind.name} cut after ${length}`;
    yield { name, kind, bytes: frame.slice(0, length) };
    // And cut, but framed as if nothing were missing.
    if (protocol === "json") {
      yield { name: `${name}, ended`, kind, bytes: joined(frame.slice(0, length), RECORD_END) };
    } else if (length >= prefix) {
      yield { name: `${name}, ended`, kind, bytes: lengthPrefixed(frame.slice(prefix, length)) };
    }
  }
}

const RECORD_END = new Uint8Array([0x1e]);

/** Bytes that mean something, in JSON or in MessagePack; as many as the gate has time for. */
const MEANINGFUL = [
  0x00,
  0x1e,
  0x22,
  0x2c,
  0x5c,
  0x7d,
  0x7f,
  0x80,
  0x90,
  0xc0,
  0xc1,
  0xdb,
  0xdd,
  0xff,
];

/** Every byte becomes others: one bit of it turned, or one that means something. All with more effort. */
function* corruptions(protocol: ProtocolName, kind: Kind): Generator<Case> {
  const frame = frameOf(protocol, kind.message);
  for (let at = 0; at < frame.length; at++) {
    const original = frame[at] ?? 0;
    for (let byte = 0; byte < 256; byte++) {
      if (byte === original || EFFORT === 1 && !inGate(at, original, byte)) continue;
      const bytes = frame.slice();
      bytes[at] = byte;
      yield { name: `${kind.name}, byte ${at} is ${byte}`, kind, bytes };
    }
  }
}

/** A sixth of them at each place, each of them at a sixth of the places. */
function inGate(at: number, original: number, byte: number): boolean {
  const turned = original ^ byte;
  const place = (turned & (turned - 1)) === 0 ? Math.log2(turned) : MEANINGFUL.indexOf(byte);
  return place >= 0 && (place + at) % 6 === 0;
}

/** Tries every case once, over a few connections at a time. */
async function tryAll(
  port: number,
  protocol: ProtocolName,
  cases: Iterator<Case>,
): Promise<Tally> {
  const total: Tally = { cases: 0, survived: 0, refused: 0, left: 0 };
  await Promise.all(Array.from({ length: LANES }, async () => {
    await using runner = new CaseRunner(port, protocol);
    for (let next = cases.next(); !next.done; next = cases.next()) await runner.run(next.value);
    for (const name of Object.keys(total) as (keyof Tally)[]) total[name] += runner.tally[name];
  }));
  return total;
}

/** Of the corruptions the gate tries a sample; all are tried only with more effort. */
const MUTATIONS = {
  "every truncation": truncations,
  "each sampled single-byte corruption": corruptions,
};

for (const [name, mutate] of Object.entries(MUTATIONS)) {
  for (const protocol of PROTOCOL_NAMES) {
    onEachNode(
      `${name} of every message in ${protocol} has its documented outcome`,
      async (node) => {
        await using witness = await Witness.start(node);
        const cases = KINDS.values().flatMap((kind) => mutate(protocol, kind));
        const { cases: count, survived, refused, left } = await tryAll(node.port, protocol, cases);
        figure(
          `${count} cases: ${survived} survived, ${refused} refused, ${left} taken for a Close`,
        );
        assert(survived > 0 && refused > 0);
        await witness.alone();
      },
      { detailedErrors: true },
    );
  }
}
