import { assert } from "@std/assert";
import { type Case, CaseRunner, type Tally } from "./cases.ts";
import { figure } from "./figures.ts";
import { type Kind, KINDS } from "./kinds.ts";
import { type MeasuredNode, onEachNode } from "./measured_node.ts";
import { corruptions, isTelling, replacements, truncations } from "./mutations.ts";
import { EFFORT } from "./runs.ts";
import { PROTOCOL_NAMES, type ProtocolName } from "../../kit/wire_format.ts";
import { HOSTS } from "../../kit/servers/hosts.ts";
import { sized } from "../../kit/sizes.ts";
import { Witness } from "./witness.ts";

/** How many connections try cases at a time. */
const LANES = 16;

/** After so many cases a lane waits until the witness was served, while the others go on. */
const CASES_PER_BATCH = 50;

/** Tries every case once, over a few connections at a time. */
async function tryAll(
  { port }: MeasuredNode,
  witness: Witness,
  protocol: ProtocolName,
  cases: Iterator<Case>,
): Promise<Tally> {
  const total: Tally = { cases: 0, survived: 0, refused: 0, left: 0 };
  await Promise.all(Array.from({ length: LANES }, async () => {
    await using runner = new CaseRunner(port, protocol);
    for (let next = cases.next(); !next.done; next = cases.next()) {
      await runner.run(next.value);
      if (runner.tally.cases % CASES_PER_BATCH === 0) await witness.served();
    }
    for (const name of Object.keys(total) as (keyof Tally)[]) total[name] += runner.tally[name];
  }));
  return total;
}

const EVERY = EFFORT === 1 ? "all that tell most" : "every other";

const SERVERS = Object.keys(HOSTS);

/** The cases for a server: every case in full size, otherwise each server gets its share of them. */
function* shareOf(server: string, cases: Iterable<Case>): Generator<Case> {
  const servers = sized(SERVERS, [server]);
  let index = 0;
  for (const next of cases) if (servers[index++ % servers.length] === server) yield next;
}

/** What CI leaves out is tried without sockets, in `readings_test.ts`. */
const MUTATIONS = {
  "every truncation of every message": truncations,
  "every member missing or of any other kind": replacements,
  [`every single byte changed to ${EVERY} in every message`]: (
    protocol: ProtocolName,
    kind: Kind,
  ) => corruptions(protocol, kind, EFFORT === 1 ? isTelling : undefined),
};

for (const [name, mutate] of Object.entries(MUTATIONS)) {
  for (const protocol of PROTOCOL_NAMES) {
    onEachNode(
      `${name}, in ${protocol}, has the outcome that the rules give it`,
      async (node) => {
        await using witness = await Witness.start(node);
        const cases = KINDS.values().flatMap((kind) => mutate(protocol, kind));
        const share = shareOf(node.server, cases);
        const { cases: count, survived, refused, left } = await tryAll(
          node,
          witness,
          protocol,
          share,
        );
        figure(
          `${count} cases: ${survived} survived, ${refused} refused, ${left} taken for a Close`,
        );
        assert(survived > 0 && refused > 0);
        await witness.alone();
      },
      { detailedErrors: true },
    ).forEach((test) => Deno.test(test));
  }
}
