import { assert, assertNotEquals } from "@std/assert";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { DIFFERENCES } from "./differences.ts";
import { HttpReplay } from "./http_replay.ts";
import { Replay } from "./replay.ts";
import { type Step, type Transcript, TRANSCRIPTS } from "./transcripts.ts";
import { WireNode } from "./wire_node.ts";

/** What this library's clients see: the transcript with the deliberate differences in it. */
function expectedSteps({ name, steps }: Transcript): readonly Step[] {
  let changed = steps;
  for (const difference of DIFFERENCES) {
    if (difference.case !== name) continue;
    changed = changed.flatMap(difference.change);
  }
  return changed;
}

for (const transcript of TRANSCRIPTS) {
  const name = `createHubServer() answers as ASP.NET Core does: ${transcript.name}`;
  onEachServer(name, async (_serve, host) => {
    await using node = new WireNode(host);
    if (/^SSE:|^long polling:/.test(transcript.name)) {
      await using replay = new HttpReplay(node);
      await replay.run(transcript, expectedSteps(transcript));
    } else {
      using replay = new Replay(node);
      await replay.run(transcript, expectedSteps(transcript));
    }
  }).forEach((test) => Deno.test(test));
}

Deno.test("DIFFERENCES names only transcripts that exist, and each makes a difference", () => {
  for (const { case: name, change } of DIFFERENCES) {
    const transcript = TRANSCRIPTS.find((transcript) => transcript.name === name);
    assert(transcript !== undefined, name);
    assertNotEquals(transcript.steps.flatMap(change), transcript.steps, name);
  }
});
