import type { BackplaneStatusEvent, BackplaneSubscription } from "../../../backplanes/backplane.ts";
import { BackplaneClosedError, BackplaneUnavailableError } from "../../../backplanes/errors.ts";
import { altered, type BrokenDriver, type Defect } from "./broken.ts";
import { REFUSED_CHANNEL } from "./losing_replies.ts";

/** The cases in which the caller cannot know whether the bus has a message. */
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

/** Drivers that do wrong when the bus has a fault. */
export const BROKEN_FAULTS: readonly BrokenDriver[] = [
  {
    wrong: "forgets subscriptions",
    caughtBy: ["subscriptions survive a restart of the bus"],
    defect: (sound) => {
      const joined: BackplaneSubscription[] = [];
      sound.onStatus(({ status }) => {
        if (status === "open") { for (const each of joined.splice(0)) each.unsubscribe(); }
      });
      return {
        subscribe: (channel, handler) => {
          const own = sound.subscribe(channel, handler);
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
    wrong: "does not see that its two ways are parted",
    caughtBy: ["a gap is reported when published messages no longer reach the subscriptions"],
    defect: (sound) => ({
      status: "open",
      publish: (channel, payload) => sound.publish(channel, payload).catch(() => undefined),
      onStatus: () => ({ [Symbol.dispose]() {} }),
      subscribe: (channel, handler) => sound.subscribe(channel, handler),
    }),
  },
  {
    wrong: "reports the loss of the bus after its gap",
    caughtBy: ["the loss of the bus is reported before its gap"],
    defect: (sound) => ({
      onStatus: (listener) =>
        sound.onStatus((event) => {
          if (event.gap === undefined) return;
          for (const told of [event, { status: "reconnecting" }, { status: "open" }] as const) {
            listener(told);
          }
        }),
    }),
  },
  {
    wrong: "measures with the date",
    caughtBy: ["a gap is in order when the date is set back during the outage"],
    defect: (sound) => {
      let since = 0;
      return {
        onStatus: (listener) =>
          sound.onStatus((event) => {
            if (event.status === "reconnecting") since = Date.now();
            const { status, gap } = event;
            listener(gap === undefined ? event : { status, gap: { since, until: Date.now() } });
          }),
      };
    },
  },
  {
    wrong: "loses in silence",
    caughtBy: [
      "nothing is lost in silence over a restart",
      "nothing is lost in silence over a hang",
    ],
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
    wrong: "gives up when the bus is down at the start",
    caughtBy: ["a bus that is down at the start is joined when it comes"],
    defect: (sound) => {
      if (sound.status !== "connecting") return {};
      return {
        status: "connecting",
        onStatus: () => ({ [Symbol.dispose]() {} }),
      };
    },
  },
  {
    wrong: "never settles `confirmed` when it is closed",
    caughtBy: ["close() while the bus is down rejects `confirmed`"],
    defect: (sound) => ({
      subscribe: (channel, handler) => {
        const joined = sound.subscribe(channel, handler);
        const confirmed = joined.confirmed.catch((error) => {
          if (error instanceof BackplaneClosedError) return new Promise<void>(() => {});
          throw error;
        });
        confirmed.catch(() => {});
        return altered(joined, { confirmed });
      },
    }),
  },
  {
    wrong: "withdraws what is not confirmed in time",
    caughtBy: [
      "subscriptions survive a long outage, also one that was made during it",
      "a channel wanted while the bus hangs is confirmed when the bus goes on",
    ],
    defect: (sound) => ({
      subscribe: (channel, handler) => {
        const joined = sound.subscribe(channel, handler);
        const timer = setTimeout(() => joined.unsubscribe(), 20);
        joined.confirmed.catch(() => {}).finally(() => clearTimeout(timer));
        return joined;
      },
    }),
  },
  {
    wrong: "subscribes after the outage to what was left during it",
    caughtBy: ["unsubscribe() while the bus is down withdraws a channel that was never confirmed"],
    defect: (sound) => ({
      subscribe: (channel, handler) => {
        const joined = sound.subscribe(channel, handler);
        return altered(joined, {
          unsubscribe: () => sound.status === "open" ? joined.unsubscribe() : Promise.resolve(),
        });
      },
    }),
  },
  {
    wrong: "never settles `confirmed` of a channel that the bus refuses",
    caughtBy: ["a channel that the bus refuses rejects `confirmed` and harms nobody"],
    defect: (sound) => ({
      subscribe: (channel, handler) => {
        const joined = sound.subscribe(channel, handler);
        if (channel !== REFUSED_CHANNEL) return joined;
        joined.confirmed.catch(() => {});
        return altered(joined, { confirmed: new Promise(() => {}) });
      },
    }),
  },
];
