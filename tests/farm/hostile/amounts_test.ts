/**
 * What clients do in extraordinary amounts, and ends at awkward moments. Each row of the tables is an
 * action that a client can cause; a new feature adds its rows.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { HOSTS } from "../../kit/servers/hosts.ts";
import { sized } from "../../kit/sizes.ts";
import type { Amount } from "./amounts/amount.ts";
import { AttackedFarm } from "./amounts/attacked_farm.ts";
import { WAYS } from "./amounts/hostile_socket.ts";
import { AMOUNTS } from "./amounts/table.ts";
import { type Trial, tried } from "./amounts/trial.ts";

/** The rows that are tried. */
const CHOSEN = AMOUNTS.filter(({ name }) => name.includes(Deno.env.get("HUBPLANE_AMOUNTS") ?? ""));

const SHORT = {
  clients: 20,
  duration: 300,
  maximumBytes: 2 ** 19,
  aftermath: 200,
  cleared: false,
} as const;
const LONG = { duration: 5000, maximumBytes: Infinity, aftermath: 2000, cleared: true } as const;

/** Twenty clients for a moment, with one way of leaving in turn; in full size all there is. */
function trialsOf(index: number): readonly Trial[] {
  const way = WAYS[index % WAYS.length] ?? "RST";
  return sized<readonly Trial[]>(
    [{ ...SHORT, way }],
    WAYS.flatMap((way) => [1, 20].map((clients) => ({ ...LONG, clients, way }))),
  );
}

for (const server of Object.keys(HOSTS)) {
  Deno.test(`no client takes a node with an amount of anything, on ${server}`, async (t) => {
    await using farms = new Farms(server);
    for (const [index, amount] of CHOSEN.entries()) {
      await t.step(amount.name, async () => {
        for (const trial of trialsOf(index)) await farms.passes(amount, trial);
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

  /** Tries an amount; fails if it costs too much. */
  async passes(amount: Amount, trial: Trial): Promise<void> {
    const farm = this.#farm ??= await AttackedFarm.start(this.#server);
    const wrong = await tried(farm, amount, trial);
    if (wrong.length > 0) await this[Symbol.asyncDispose]();
    assertEquals(wrong, []);
  }

  /** Resolves when the nodes hold nothing that they did not hold at their start. */
  async cleared(): Promise<void> {
    await this.#farm?.near.cleared();
    await this.#farm?.far.cleared();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const farm = this.#farm;
    this.#farm = undefined;
    await farm?.[Symbol.asyncDispose]();
  }
}
