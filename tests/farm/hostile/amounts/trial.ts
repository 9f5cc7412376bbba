import { delay } from "@std/async";
import { figure } from "../figures.ts";
import { type Amount, LIMITS, type Limits } from "./amount.ts";
import type { AttackedFarm } from "./attacked_farm.ts";
import { Attacker } from "./attacker.ts";
import type { CanaryFigures } from "./canary.ts";
import type { Way } from "./hostile_socket.ts";

/** How an amount is tried. */
export interface Trial {
  /** How many clients act at once. */
  readonly clients: number;
  /** How long they act, in milliseconds. */
  readonly duration: number;
  /** About how much each of them may send, in bytes: the system keeps what a node does not read. */
  readonly maximumBytes: number;
  /** How they leave. */
  readonly way: Way;
  /** How long the canary is watched when they have left, in milliseconds. */
  readonly aftermath: number;
  /** Whether the node must hold nothing of them, a while after they have left. */
  readonly cleared: boolean;
}

/** What a trial has cost. */
export interface Costs extends CanaryFigures {
  readonly peakMiB: number;
  /** What both nodes have logged. */
  readonly log: readonly string[];
  /** What the clients have sent, in MiB. */
  readonly takenMiB: number;
}

/** The pause between two looks at the memory of a node. */
const SAMPLE_INTERVAL = 50;

/** Tries an amount; returns what it has cost. */
export async function costsOf(farm: AttackedFarm, amount: Amount, trial: Trial): Promise<Costs> {
  const { near, far, canary } = farm;
  const ended = new AbortController();
  const { signal } = ended;
  const logged = [near.log.length, far.log.length];
  await canary.reset();
  const before = near.usage().rssMiB;
  let peakMiB = 0;
  const sampling = setInterval(
    () => peakMiB = Math.max(peakMiB, near.usage().rssMiB - before),
    SAMPLE_INTERVAL,
  );
  const attackers = Array.from({ length: trial.clients }, () =>
    new Attacker({
      ...{ port: near.port, far: far.port, redis: farm.redis.port, prefix: farm.prefix },
      ...{ number: next++, way: trial.way, signal },
    }, trial.maximumBytes));
  try {
    const acting = Promise.all(attackers.map(async (attacker) => {
      try {
        await amount.act(attacker);
      } catch (error) {
        // What was under way when the time was over has been given up.
        if (!signal.aborted) throw error;
      }
    }));
    // It is awaited below.
    acting.catch(() => {});
    await delay(trial.duration);
    ended.abort();
    await acting;
    await delay(trial.aftermath);
    const figures = await canary.figures();
    if (trial.cleared && figures.failure === undefined) {
      const { liveMiB, peakMiB: rssMiB } = limitsOf(amount);
      await farm.cleared({ liveMiB, rssMiB });
    }
    return {
      ...figures,
      peakMiB,
      log: [...near.log.slice(logged[0]), ...far.log.slice(logged[1])],
      takenMiB: attackers.reduce((sum, { taken }) => sum + taken, 0) / 2 ** 20,
    };
  } finally {
    clearInterval(sampling);
    await Promise.all(attackers.map((attacker) => attacker[Symbol.asyncDispose]()));
  }
}

let next = 0;

/** The limits of a row. */
function limitsOf({ limits }: Amount): Limits {
  return { ...LIMITS, ...limits };
}

/** What is wrong with the costs of a trial; empty if they are within the limits. */
function excess(costs: Costs, limits: Limits, { clients }: Trial): string[] {
  const wrong: string[] = [];
  const answer = clients > 1 ? limits.crowdAnswer : limits.answer;
  if (costs.failure !== undefined) wrong.push(costs.failure);
  if (costs.answer > answer) wrong.push(`an answer took ${costs.answer} ms of work`);
  if (costs.visit > limits.visit) wrong.push(`a new client took ${costs.visit} ms of work`);
  if (costs.peakMiB > limits.peakMiB) wrong.push(`${costs.peakMiB} MiB at the peak`);
  const { length } = costs.log;
  if (length > limits.logLines) wrong.push(`${length} lines in the log: ${samplesOf(costs.log)}`);
  return wrong;
}

/** The beginnings of different entries. */
function samplesOf(log: readonly string[]): string {
  return [...new Set(log.map((line) => line.slice(0, 100)))].slice(0, 5).join("; ");
}

/** Tries an amount; returns what is wrong with it, and prints what it has cost. */
export async function tried(farm: AttackedFarm, amount: Amount, trial: Trial): Promise<string[]> {
  const what =
    `${amount.name}, ${trial.clients} × ${trial.duration} ms, ${trial.way}, ${farm.server}`;
  let wrong: string[];
  try {
    const costs = await costsOf(farm, amount, trial);
    const { answer, waited, visit, peakMiB, log, takenMiB } = costs;
    figure(
      `${what}: answer ${answer} ms (waited ${waited} ms), visit ${visit} ms, peak ${peakMiB} MiB, ${log.length} lines, ` +
        `${takenMiB.toFixed(1)} MiB taken`,
    );
    wrong = excess(costs, limitsOf(amount), trial);
  } catch (error) {
    wrong = [(error as Error).message];
  }
  for (const text of wrong) figure(`  wrong: ${text}`);
  return wrong.map((text) => `${what}: ${text}`);
}
