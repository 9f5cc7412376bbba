/**
 * How long a healthy client waits at the most while others do their worst: `deno task bench canary
 * [word…] [--clients N] [--seconds S] [--leaving WAY] [--servers A,B]`. The words choose rows of the
 * table by parts of their names. `HUBPLANE_FULL=1` sends what the tests send in full size.
 *
 * @module
 */
import { parseArgs } from "node:util";
import type { Amount } from "../tests/farm/hostile/amounts/amount.ts";
import { AttackedFarm } from "../tests/farm/hostile/amounts/attacked_farm.ts";
import { WAYS } from "../tests/farm/hostile/amounts/hostile_socket.ts";
import { CLIENT_AMOUNTS, PUBLISH_AMOUNTS } from "../tests/farm/hostile/amounts/table.ts";
import { costsOf, type Trial } from "../tests/farm/hostile/amounts/trial.ts";

/** How long the canary is watched after the others have left, in milliseconds. */
const AFTERMATH = 3000;

/** How the rows are tried. */
type Setting = Pick<Trial, "clients" | "duration" | "way">;

/**
 * Measures the rows that `args` choose, and prints each as it is done.
 *
 * @throws {TypeError} if an option is unknown.
 */
export async function runCanary(args: string[]): Promise<void> {
  const { values, positionals: words } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      clients: { type: "string", default: "1" },
      seconds: { type: "string", default: "2" },
      leaving: { type: "string", default: "bare close" },
      servers: { type: "string", default: "fetch,listen" },
    },
  });
  const { clients, seconds, leaving, servers } = values;
  const way = WAYS.find((way) => way === leaving);
  if (way === undefined) {
    throw new TypeError(`Cannot use --leaving ${leaving}: it is one of ${WAYS.join(", ")}`);
  }
  const setting = { clients: Number(clients), duration: 1000 * Number(seconds), way };
  print(`${clients} × ${seconds} s, leaving by ${way}\n`);
  print(
    "| Case | Server | Worst answer, ms | with others' work | New client, ms | Peak, MiB | Log lines | Failure |",
  );
  print("| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |");
  const chosen = [...CLIENT_AMOUNTS, ...PUBLISH_AMOUNTS]
    .filter(({ name }) => words.every((word) => name.includes(word)));
  for (const amount of chosen) {
    for (const server of servers.split(",")) {
      print(`| ${amount.name} | ${server} | ${await measure(server, amount, setting)} |`);
    }
  }
}

/** One row of the output: the worst answer, the slowest new client, and the memory at the peak. */
async function measure(server: string, amount: Amount, setting: Setting): Promise<string> {
  const trial: Trial = {
    ...setting,
    maximumBytes: Infinity,
    aftermath: AFTERMATH,
    cleared: false,
  };
  try {
    await using farm = await AttackedFarm.start(server);
    const { answer, waited, visit, peakMiB, log, failure } = await costsOf(
      farm,
      amount,
      trial,
    );
    const figures = [answer, waited, visit, peakMiB, log.length].map((figure) =>
      figure.toLocaleString("en")
    );
    return [...figures, failure ?? ""].join(" | ");
  } catch (error) {
    return ` | | | | | ${(error as Error).message}`;
  }
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}
