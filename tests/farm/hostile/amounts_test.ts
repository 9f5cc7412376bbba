/**
 * What clients do in extraordinary amounts, and ends at awkward moments. Each row of the tables is an
 * action that a client can cause; a new feature adds its rows.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { HOSTS } from "../../kit/servers/hosts.ts";
import { sized } from "../../kit/sizes.ts";
import { type Amount, LIMITS } from "./amounts/amount.ts";
import { AttackedFarm } from "./amounts/attacked_farm.ts";
import { WAYS } from "./amounts/hostile_socket.ts";
import { CLIENT_AMOUNTS, PUBLISH_AMOUNTS } from "./amounts/table.ts";
import { type Trial, tried } from "./amounts/trial.ts";

/** The most resident memory that a row may need, in MiB. */
const MOST_MIB = Math.max(
  ...CLIENT_AMOUNTS.map(({ limits }) => limits?.peakMiB ?? LIMITS.peakMiB),
);

/** What the names of the rows contain that are tried. */
const CHOSEN = Deno.env.get("HUBPLANE_AMOUNTS") ?? "";

const SHORT = {
  clients: 20,
  duration: 300,
  // Together about what a node can work off in that time: a longer queue would only make the gate wait.
  maximumBytes: 2 ** 16,
  aftermath: 0,
  cleared: false,
} as const;
const LONG = { duration: 5000, maximumBytes: Infinity, aftermath: 2000, cleared: true } as const;

/** Twenty clients for a moment, and ways of leaving in turn; in full size all there is. */
function trialsOf(amount: Amount, index: number): readonly Trial[] {
  const way = amount.way ?? WAYS[index % WAYS.length] ?? "RST";
  return sized<readonly Trial[]>(
    [{ ...SHORT, way }],
    WAYS.flatMap((way) => [1, 20].map((clients) => ({ ...LONG, clients, way }))),
  );
}

for (const [first, server] of Object.keys(HOSTS).entries()) {
  test(`no client takes a node with an amount of anything, on ${server}`, CLIENT_AMOUNTS, {
    server,
    first,
  });
}
for (const server of sized(["listen"], Object.keys(HOSTS))) {
  test(`nobody on the bus takes a node, on ${server}`, PUBLISH_AMOUNTS, {
    server,
    first: 0,
  });
}

/** How the rows of a table are tried. */
interface TableSetting {
  readonly server: string;
  /** The number of the way in which the clients of the first row leave. */
  readonly first: number;
}

/** Tries the rows of a table. */
function test(
  name: string,
  amounts: readonly Amount[],
  { server, first }: TableSetting,
): void {
  Deno.test(name, async (t) => {
    await using farms = new Farms(server);
    for (const [index, amount] of amounts.entries()) {
      if (!amount.name.includes(CHOSEN)) continue;
      await t.step(amount.name, async () => {
        const wrong: string[] = [];
        for (const trial of trialsOf(amount, first + index)) {
          wrong.push(...await farms.wrongWith(amount, trial));
        }
        assertEquals(wrong, []);
      });
    }
    await t.step("nothing is left of it", () => farms.cleared());
  });
}

/** One farm after another: a node that fails is replaced. */
class Farms implements AsyncDisposable {
  readonly #server: string;
  #farm: AttackedFarm | undefined;

  constructor(server: string) {
    this.#server = server;
  }

  /** Tries an amount; returns what is wrong with it. */
  async wrongWith(amount: Amount, trial: Trial): Promise<string[]> {
    const farm = this.#farm ??= await AttackedFarm.start(this.#server);
    const wrong = await tried(farm, amount, trial);
    if (wrong.length > 0) await this[Symbol.asyncDispose]();
    return wrong;
  }

  /** Resolves when the nodes hold nothing that they did not hold at their start. */
  async cleared(): Promise<void> {
    // Allocators keep what one of the rows needed, and nodes a thousand names. Deno keeps every WebSocket
    // whose client has gone before the answer: some thousands are made here.
    const liveMiB = this.#server === "fetch" ? 40 : 12;
    await this.#farm?.cleared({ rssMiB: MOST_MIB, liveMiB });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const farm = this.#farm;
    this.#farm = undefined;
    await farm?.[Symbol.asyncDispose]();
  }
}
