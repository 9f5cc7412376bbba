import { delay } from "@std/async";
import type { BackplaneHandler, BackplaneSubscription } from "../../../backplanes/backplane.ts";
import { type BrokenDriver, subscription } from "./broken.ts";

/** Drivers that subscribe or leave wrongly. */
export const BROKEN_SUBSCRIPTIONS: readonly BrokenDriver[] = [
  {
    wrong: "confirms a subscription too early",
    caughtBy: ["a message published right after subscribe() has resolved arrives"],
    defect: (sound) => ({
      subscribe: (channel, handler) => {
        const joined = delay(5).then(() => sound.subscribe(channel, handler));
        // Closed meanwhile: nobody waits for it.
        joined.catch(() => {});
        return Promise.resolve(subscription(async () => await (await joined).unsubscribe()));
      },
    }),
  },
  {
    wrong: "leaks a handler",
    caughtBy: ["a channel that was left is silent", "`await using` unsubscribes"],
    defect: (sound) => ({
      subscribe: async (channel, handler) => {
        await sound.subscribe(channel, handler);
        return subscription(() => Promise.resolve());
      },
    }),
  },
  {
    wrong: "detaches too late",
    caughtBy: ["unsubscribe() detaches its handler before it returns"],
    defect: (sound) => {
      const leaving: Promise<void>[] = [];
      return {
        subscribe: async (channel, handler) => {
          const joined = await sound.subscribe(channel, handler);
          return subscription(() => {
            const left = delay(5).then(() => joined.unsubscribe());
            leaving.push(left);
            return left;
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
        subscribe: async (channel, handler) => {
          joined.push(await sound.subscribe(channel, handler));
          return subscription(async () => {
            for (const each of joined.splice(0)) await each.unsubscribe();
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
        subscribe: async (channel, handler) => {
          joined.push(await sound.subscribe(channel, handler));
          return subscription(async () => await joined.shift()?.unsubscribe());
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
        subscribe: async (channel, handler) => {
          const joined = await sound.subscribe(channel, handler);
          if (seen.has(channel)) await joined.unsubscribe();
          seen.add(channel);
          return joined;
        },
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
        subscribe: async (channel, handler) => {
          const state = states.get(channel) ?? { handlers: new Set(), joined: false };
          states.set(channel, state);
          state.handlers.add(handler);
          state.joined = true;
          await sound.subscribe(channel, (payload) => {
            if (state.joined && state.handlers.has(handler)) handler(payload);
          });
          return subscription(async () => {
            state.handlers.delete(handler);
            const empty = state.handlers.size === 0;
            await delay(5);
            if (empty) state.joined = false;
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
        subscribe: async (channel, handler) => {
          const handlers = channels.get(channel) ?? [];
          channels.set(channel, [...handlers, handler]);
          if (handlers.length > 0) return subscription(() => Promise.resolve());
          return await sound.subscribe(channel, (payload) => {
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
        subscribe: async (channel, handler) => {
          const handlers = channels.get(channel) ?? [];
          channels.set(channel, [handler, ...handlers]);
          if (handlers.length > 0) return subscription(() => Promise.resolve());
          return await sound.subscribe(channel, (payload) => {
            for (const each of channels.get(channel) ?? []) each(payload);
          });
        },
      };
    },
  },
];
