import { assert } from "@std/assert";
import { DIFFERENCES, NOT_REPLAYED } from "./differences.ts";
import { HttpReplay } from "./http_replay.ts";
import { Replay } from "./replay.ts";
import { type Step, type Transcript, TRANSCRIPTS } from "./transcripts.ts";
import { WireNode } from "./wire_node.ts";

function isReplayed({ name }: Transcript): boolean {
  return !NOT_REPLAYED.some(([cases]) => cases.test(name));
}

/** What this library's clients see: the transcript with the deliberate differences in it. */
function expectedSteps({ name, steps }: Transcript): readonly Step[] {
  let changed = steps;
  for (const difference of DIFFERENCES) {
    if (difference.case !== undefined && difference.case !== name) continue;
    changed = changed.flatMap((step) => difference.change(step));
  }
  return changed;
}

for (const transcript of TRANSCRIPTS.filter(isReplayed)) {
  Deno.test(`createHubServer() answers as ASP.NET Core does: ${transcript.name}`, async () => {
    await using node = new WireNode();
    if (/^SSE:|^long polling:/.test(transcript.name)) {
      await using replay = new HttpReplay(node.port);
      await replay.run(transcript, expectedSteps(transcript));
    } else {
      using replay = new Replay(node.port);
      await replay.run(transcript, expectedSteps(transcript));
    }
  });
}

Deno.test("DIFFERENCES and NOT_REPLAYED name only transcripts that exist", () => {
  for (const { case: name } of DIFFERENCES) {
    if (name === undefined) continue;
    assert(TRANSCRIPTS.some((transcript) => transcript.name === name), name);
  }
  for (const [cases] of NOT_REPLAYED) {
    assert(TRANSCRIPTS.some(({ name }) => cases.test(name)), String(cases));
  }
});
