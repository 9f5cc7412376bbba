import type { BackplaneStatusEvent } from "../../../backplanes/backplane.ts";
import { MemoryBackplane, MemoryBus } from "../../../backplanes/memory.ts";
import { SeveralBackplanes } from "../../../backplanes/several.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { KeptLog } from "../../kit/log.ts";

/** Two buses; `pair` is on both, and `peers` has one backplane on each. */
export class TwoBuses implements AsyncDisposable {
  readonly buses: readonly [MemoryBus, MemoryBus] = [new MemoryBus(), new MemoryBus()];
  readonly parts: readonly [RecordingBackplane, RecordingBackplane];
  readonly peers: readonly [MemoryBackplane, MemoryBackplane];
  readonly pair: SeveralBackplanes;
  readonly log = new KeptLog();
  readonly events: BackplaneStatusEvent[] = [];
  /** The statuses of the events, `+` where one has a gap. */
  readonly told: string[] = [];

  constructor() {
    const [one, two] = this.buses;
    // Only the pair logs here.
    const options = { logger: new KeptLog() };
    this.parts = [
      new RecordingBackplane(new MemoryBackplane(one, options)),
      new RecordingBackplane(new MemoryBackplane(two, options)),
    ];
    this.peers = [new MemoryBackplane(one, options), new MemoryBackplane(two, options)];
    this.pair = new SeveralBackplanes(this.parts, { logger: this.log });
    this.pair.onStatus((event) => {
      this.events.push(event);
      this.told.push(event.gap === undefined ? event.status : `${event.status}+`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const backplane of [this.pair, ...this.peers]) await backplane.close();
  }
}

/** Whether `promise` is pending when the turn is over. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  promise.then(() => pending = false, () => pending = false);
  await endOfTurn();
  return pending;
}
