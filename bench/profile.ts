/**
 * Prints where the time of nodes went, from what `--profile FOLDER` wrote:
 * `deno run --allow-read bench/profile.ts FOLDER [rows]`.
 *
 * @module
 */

interface Frame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The time that each function took itself, in microseconds. */
function selfTimes({ nodes, samples, timeDeltas }: Profile, times: Map<string, number>): void {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  for (const [i, sample] of samples.entries()) {
    const name = names.get(sample) ?? "unknown";
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[i] ?? 0));
  }
}

function nameOf({ functionName, url, lineNumber }: Frame): string {
  if (url === "") return functionName || "(native)";
  const file = url.replace(/^.*\/(?=[^/]+\/[^/]+$)/, "");
  return `${functionName || "(anonymous)"}  ${file}:${lineNumber + 1}`;
}

const [folder, rows = "30"] = Deno.args;
if (folder === undefined) throw new TypeError("Cannot read profiles: profile.ts FOLDER [rows]");
const times = new Map<string, number>();
for await (const { name } of Deno.readDir(folder)) {
  if (!name.endsWith(".cpuprofile")) continue;
  selfTimes(JSON.parse(await Deno.readTextFile(`${folder}/${name}`)), times);
}
// Waiting is not work.
times.delete("(idle)");
const total = Array.from(times.values()).reduce((sum, time) => sum + time, 0);
const top = Array.from(times).sort(([, a], [, b]) => b - a).slice(0, Number(rows));
const lines = top.map(([name, time]) =>
  `${(time / total * 100).toFixed(1).padStart(5)} %  ${name}`
);
await Deno.stdout.write(new TextEncoder().encode(lines.join("\n") + "\n"));
