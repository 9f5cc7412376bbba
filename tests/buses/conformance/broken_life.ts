import { delay } from "@std/async";
import type { BackplaneStatusEvent, BackplaneSubscription } from "../../../backplanes/backplane.ts";
import { BackplaneUnavailableError } from "../../../backplanes/errors.ts";
import { type BrokenDriver, type Defect, subscription } from "./broken.ts";

/** The cases in which nobody knows whether the bus has a message. */
const UNSETTLED: BrokenDriver["caughtBy"] = [
  "a publish whose reply is lost rejects and arrives at most once",
  "a publish that a stop of the bus overtakes rejects and arrives at most once",
];

/** Does `instead` where a publish should reject because the bus is away. */
function insteadOfRejecting(instead: () => undefined | Promise<undefined>): Defect {
  return (sound) => ({
    publish: (channel, payload) =>
      sound.publish(channel, payload).catch((error) => {
        if (error instanceof BackplaneUnavailableError) return instead();
        throw error;
      }),
  });
}

/** Drivers that close wrongly, or do wrong when the bus has a fault. */
export const BROKEN_LIFE: readonly BrokenDriver[] = [
  {
    wrong: "forgets to close",
    caughtBy: [
      "after close() publish() rejects with BackplaneClosedError",
      "after close() subscribe() rejects with BackplaneClosedError",
      "`await using` closes",
    ],
    defect: () => ({ close: () => Promise.resolve() }),
  },
  {
    wrong: "delivers after close()",
    caughtBy: ["after close() no handler is called"],
    defect: (sound) => {
      let closed = false;
      return {
        get status() {
          return closed ? "closed" as const : sound.status;
        },
        close: () => {
          closed = true;
          return delay(20).then(() => sound.close());
        },
      };
    },
  },
  {
    wrong: "cannot be closed twice",
    caughtBy: ["close() is idempotent"],
    defect: (sound) => ({
      close: () =>
        sound.status === "closed"
          ? Promise.reject(new Error("Cannot close: it is closed"))
          : sound.close(),
    }),
  },
  {
    wrong: "cannot leave after closing",
    caughtBy: ["unsubscribe() after close() resolves"],
    defect: (sound) => ({
      subscribe: async (channel, handler) => {
        const joined = await sound.subscribe(channel, handler);
        return subscription(() =>
          sound.status === "closed"
            ? Promise.reject(new Error("Cannot unsubscribe: it is closed"))
            : joined.unsubscribe()
        );
      },
    }),
  },
  {
    wrong: "keeps listeners",
    caughtBy: ["a disposed status listener hears nothing more"],
    defect: (sound) => ({
      onStatus: (listener) => {
        sound.onStatus(listener);
        return { [Symbol.dispose]() {} };
      },
    }),
  },
  {
    wrong: "closes more than once",
    caughtBy: ["status becomes open, and closed for good"],
    defect: (sound) => ({
      onStatus: (listener) =>
        sound.onStatus((event) => {
          listener(event);
          if (event.status === "closed") listener(event);
        }),
    }),
  },
  {
    wrong: "forgets subscriptions",
    caughtBy: ["subscriptions survive a restart of the bus"],
    defect: (sound) => {
      const joined: BackplaneSubscription[] = [];
      sound.onStatus(({ status }) => {
        if (status === "open") { for (const each of joined.splice(0)) each.unsubscribe(); }
      });
      return {
        subscribe: async (channel, handler) => {
          const own = await sound.subscribe(channel, handler);
          joined.push(own);
          return own;
        },
      };
    },
  },
  {
    wrong: "queues while the bus is down",
    caughtBy: [
      "publish() while the bus is down rejects within publishTimeout",
      "publish() rejects at once while the driver knows that the bus is down",
    ],
    defect: (sound) => ({
      publish: async (channel, payload) => {
        if (sound.status === "reconnecting" || sound.status === "connecting") {
          await new Promise<void>((resolve) => {
            sound.onStatus(({ status }) => {
              if (status === "open" || status === "closed") resolve();
            });
          });
        }
        return await sound.publish(channel, payload);
      },
    }),
  },
  {
    wrong: "sends a rejected message again",
    caughtBy: ["a publish whose reply is lost rejects and arrives at most once"],
    defect: (sound) => ({
      publish: async (channel, payload) => {
        try {
          return await sound.publish(channel, payload);
        } catch (error) {
          const listening = sound.onStatus(({ status }) => {
            if (status !== "open") return;
            listening[Symbol.dispose]();
            sound.publish(channel, payload).catch(() => {});
          });
          throw error;
        }
      },
    }),
  },
  {
    wrong: "sends rejected messages again and again",
    caughtBy: ["a publish that a stop of the bus overtakes rejects and arrives at most once"],
    defect: (sound) => ({
      publish: async (channel, payload) => {
        try {
          return await sound.publish(channel, payload);
        } catch (error) {
          sound.onStatus(({ status }) => {
            if (status !== "open") return;
            for (let time = 0; time < 2; time++) sound.publish(channel, payload).catch(() => {});
          });
          throw error;
        }
      },
    }),
  },
  {
    wrong: "takes a lost reply for a good one",
    caughtBy: UNSETTLED,
    defect: insteadOfRejecting(() => undefined),
  },
  {
    wrong: "never settles a publish whose reply is lost",
    caughtBy: UNSETTLED,
    defect: insteadOfRejecting(() => new Promise(() => {})),
  },
  {
    wrong: "conceals gaps",
    caughtBy: [
      "a gap is reported that covers the outage",
      "a hung bus is noticed within probeInterval + probeTimeout",
    ],
    defect: (sound) => ({
      onStatus: (listener) => sound.onStatus(({ status }) => listener({ status })),
    }),
  },
  {
    wrong: "loses in silence",
    caughtBy: ["nothing is lost in silence over a restart"],
    /** As a client that answers before the bus does: what it has in hand at the cut is gone. */
    defect: (sound) => {
      let losing = 0;
      sound.onStatus(({ status }: BackplaneStatusEvent) => {
        if (status === "open") losing = Date.now() + 100;
      });
      return {
        publish: (channel, payload) =>
          Date.now() < losing && new TextDecoder().decode(payload) !== "marker"
            ? Promise.resolve(undefined)
            : sound.publish(channel, payload),
      };
    },
  },
  {
    wrong: "keeps a rejected subscription",
    caughtBy: [
      "a subscribe() while the bus is down rejects after subscribeTimeout and is withdrawn",
    ],
    defect: (sound) => ({
      subscribe: async (channel, handler) => {
        try {
          return await sound.subscribe(channel, handler);
        } catch (error) {
          if (!(error instanceof BackplaneUnavailableError)) throw error;
          sound.onStatus(({ status }) => {
            if (status === "open") sound.subscribe(channel, handler).catch(() => {});
          });
          throw error;
        }
      },
    }),
  },
];
