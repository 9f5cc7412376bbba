import type { Backplane } from "../../../backplanes/backplane.ts";
import type { ConformanceSubject } from "../../../backplanes/conformance.ts";
import { MemoryBackplane, MemoryBus } from "../../../backplanes/memory.ts";
import { broken, type Defect } from "./broken.ts";

/** What a bus was given while it hung. */
interface Given {
  readonly prefix: string;
  readonly channel: string;
  readonly payload: Uint8Array;
}

/**
 * A driver with `defect` on a bus that can stop, and that hangs as a server does: who publishes
 * meanwhile is told that it failed, and the bus takes the message when it goes on.
 */
export function losingReplies(defect: Defect, patience: number): ConformanceSubject {
  const bus = new MemoryBus();
  const given: Given[] = [];
  let hung = false;
  const unanswered = (prefix: string): Defect => (sound: Backplane) => ({
    publish: (channel, payload) => {
      if (hung) given.push({ prefix, channel, payload: payload.slice() });
      return sound.publish(channel, payload);
    },
  });
  return {
    patience,
    open: (prefix, options) =>
      broken(broken(new MemoryBackplane(bus, { ...options, prefix }), unanswered(prefix)), defect),
    bus: {
      stop: () => bus.stop(),
      start: () => bus.start(),
      pause() {
        hung = true;
        bus.stop();
      },
      async resume() {
        hung = false;
        bus.start();
        for (const { prefix, channel, payload } of given.splice(0)) {
          await using taken = new MemoryBackplane(bus, { prefix });
          await taken.publish(channel, payload);
        }
      },
    },
  };
}
