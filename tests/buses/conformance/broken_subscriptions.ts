import { delay } from "@std/async";
import type { BackplaneHandler, BackplaneSubscription } from "../../../backplanes/backplane.ts";
import { altered, type BrokenDriver } from "./broken.ts";

/** Drivers that subscribe or leave wrongly. */
export const BROKEN_SUBSCRIPTIONS: readonly BrokenDriver[] = [
  {
    wrong: "confirms a subscription too early",
    caughtBy: ["a message published right after a channel was confirmed arrives"],
    defect: (sound) => ({
      subscribe: (channel, handler) => {
        const joined = delay(5).then(() => sound.subscribe(channel, handler));
        const unsubscribe = async () => await (await joined).unsubscribe();
        return {
          confirmed: Promise.resolve(),
          unsubscribe,
          [Symbol.asyncDispose]: unsubscribe,
        };
      },
    }),
  },
  {
    wrong: "leaks a handler",
    caughtBy: [
      "a channel that was left is silent",
      "`await using` unsubscribes",
      "unsubscribe() before the bus has confirmed withdraws the channel",
    ],
    defect: (sound) => ({
      subscribe: (channel, handler) =>
        altered(sound.subscribe(channel, handler), { unsubscribe: () => Promise.resolve() }),
    }),
  },
  {
    wrong: "detaches too late",
    caughtBy: ["unsubscribe() detaches its handler before it returns"],
    defect: (sound) => {
      const leaving: Promise<void>[] = [];
      return {
        subscribe: (channel, handler) => {
          const joined = sound.subscribe(channel, handler);
          return altered(joined, {
            unsubscribe: () => {
              const left = delay(5).then(() => joined.unsubscribe());
              leaving.push(left);
              return left;
            },
          });
        },
        close: async () => {
          await sound.close();
          await Promise.all(leaving);
        },
      };
    },
  },
  {
    wrong: "detaches every handler",
    caughtBy: ["of two handlers on a channel one leaves and the other stays"],
    defect: (sound) => {
      const joined: BackplaneSubscription[] = [];
      return {
        subscribe: (channel, handler) => {
          const own = sound.subscribe(channel, handler);
          joined.push(own);
          return altered(own, {
            unsubscribe: async () => {
              for (const each of joined.splice(0)) await each.unsubscribe();
            },
          });
        },
      };
    },
  },
  {
    wrong: "detaches another handler at the second call",
    caughtBy: ["unsubscribe() is idempotent"],
    /** Each call of unsubscribe() counts, as with a bare counter of subscribers. */
    defect: (sound) => {
      const joined: BackplaneSubscription[] = [];
      return {
        subscribe: (channel, handler) => {
          const own = sound.subscribe(channel, handler);
          joined.push(own);
          return altered(own, { unsubscribe: async () => await joined.shift()?.unsubscribe() });
        },
      };
    },
  },
  {
    wrong: "joins once",
    caughtBy: ["a channel can be subscribed to again and again"],
    defect: (sound) => {
      const seen = new Set<string>();
      return {
        subscribe: (channel, handler) => {
          const joined = sound.subscribe(channel, handler);
          if (seen.has(channel)) joined.unsubscribe();
          seen.add(channel);
          return joined;
        },
      };
    },
  },
  {
    wrong: "takes no more than 400 channels",
    caughtBy: ["500 channels subscribed to at once all work"],
    defect: (sound) => {
      const seen = new Set<string>();
      return {
        subscribe: (channel, handler) =>
          sound.subscribe(channel, seen.add(channel).size > 400 ? () => {} : handler),
      };
    },
  },
  {
    wrong: "lets a leave overtake a join",
    caughtBy: [
      "1,000 concurrent subscribe() and unsubscribe() of one channel end in the last state",
    ],
    /** Joins and leaves overtake each other, and whichever ends last wins. */
    defect: (sound) => {
      const states = new Map<string, { handlers: Set<BackplaneHandler>; joined: boolean }>();
      return {
        subscribe: (channel, handler) => {
          const state = states.get(channel) ?? { handlers: new Set(), joined: false };
          states.set(channel, state);
          state.handlers.add(handler);
          state.joined = true;
          const joined = sound.subscribe(channel, (payload) => {
            if (state.joined && state.handlers.has(handler)) handler(payload);
          });
          return altered(joined, {
            unsubscribe: async () => {
              state.handlers.delete(handler);
              const empty = state.handlers.size === 0;
              await delay(5);
              if (empty) state.joined = false;
            },
          });
        },
      };
    },
  },
  {
    wrong: "lets a throwing handler through",
    caughtBy: ["a handler that throws is logged and harms nobody"],
    defect: (sound) => {
      const channels = new Map<string, BackplaneHandler[]>();
      return {
        subscribe: (channel, handler) => {
          const handlers = channels.get(channel) ?? [];
          channels.set(channel, [...handlers, handler]);
          if (handlers.length > 0) return sound.subscribe(channel, () => {});
          return sound.subscribe(channel, (payload) => {
            for (const each of channels.get(channel) ?? []) each(payload);
          });
        },
      };
    },
  },
  {
    wrong: "calls the last handler first",
    caughtBy: ["handlers of a channel are called in the order they subscribed"],
    defect: (sound) => {
      const channels = new Map<string, BackplaneHandler[]>();
      return {
        subscribe: (channel, handler) => {
          const handlers = channels.get(channel) ?? [];
          channels.set(channel, [handler, ...handlers]);
          if (handlers.length > 0) return sound.subscribe(channel, () => {});
          return sound.subscribe(channel, (payload) => {
            for (const each of channels.get(channel) ?? []) each(payload);
          });
        },
      };
    },
  },
];
