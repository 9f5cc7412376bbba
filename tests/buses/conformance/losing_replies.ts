import type { Backplane } from "../../../backplanes/backplane.ts";
import type { BackplaneLogger, ConformanceSubject } from "../../../backplanes/conformance.ts";
import { BackplaneError } from "../../../backplanes/errors.ts";
import { MemoryBackplane, MemoryBus } from "../../../backplanes/memory.ts";
import { altered, broken, type Defect } from "./broken.ts";

/** The channel that the bus refuses. */
export const REFUSED_CHANNEL = "refused";

/** Times for a bus in memory. */
const FAULTS = { publishTimeout: 50, probeInterval: 10, probeTimeout: 40, outage: 60 };

/** A driver whose bus refuses {@link REFUSED_CHANNEL}, and which logs a refusal that nobody waits for. */
const refusing = (logger: BackplaneLogger | undefined): Defect => (sound) => ({
  subscribe: (channel, handler) => {
    const joined = sound.subscribe(channel, handler);
    if (channel !== REFUSED_CHANNEL) return joined;
    logger?.error(`Cannot subscribe to "${channel}": the bus refused it`);
    return altered(joined, {
      get confirmed() {
        const refused = Promise.reject(new BackplaneError("the bus refused it"));
        refused.catch(() => {});
        return refused;
      },
    });
  },
});

/** What a bus was given while it hung. */
interface Given {
  readonly prefix: string;
  readonly channel: string;
  readonly payload: Uint8Array;
}

/**
 * A driver with `defect` on a bus that can stop, and that hangs as a server does: a publish
 * meanwhile is rejected, and the bus takes its message when it goes on.
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
    faults: FAULTS,
    refusedChannel: REFUSED_CHANNEL,
    open(prefix, options) {
      const sound = broken(
        new MemoryBackplane(bus, { ...options, prefix }),
        refusing(options.logger),
      );
      return broken(broken(sound, unanswered(prefix)), defect);
    },
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
      // This driver notices at once.
      part: () => bus.stop(),
      rejoin: () => bus.start(),
    },
  };
}
