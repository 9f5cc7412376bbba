import { delay } from "@std/async";
import type { Backplane, BackplaneStatusEvent } from "../../../backplanes/backplane.ts";
import { altered, type BrokenDriver, type Defect } from "./broken.ts";

/** Drivers that close wrongly, or tell wrongly of their status. */
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
      subscribe: (channel, handler) => {
        const joined = sound.subscribe(channel, handler);
        return altered(joined, {
          unsubscribe: () =>
            sound.status === "closed"
              ? Promise.reject(new Error("Cannot unsubscribe: it is closed"))
              : joined.unsubscribe(),
        });
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
    wrong: "lets a throwing status listener through",
    caughtBy: ["a status listener that throws harms nobody"],
    defect: (sound) => {
      const listeners: ((event: BackplaneStatusEvent) => void)[] = [];
      sound.onStatus((event) => listeners.forEach((listener) => listener(event)));
      return {
        onStatus: (listener) => {
          listeners.push(listener);
          return { [Symbol.dispose]: () => void listeners.splice(listeners.indexOf(listener), 1) };
        },
      };
    },
  },
  {
    wrong: "forgets at its close what is under way",
    caughtBy: ["close() settles what is under way"],
    defect: (sound) => ({
      publish: async (channel, payload) => {
        const reached = await sound.publish(channel, payload);
        return sound.status === "closed" ? await new Promise(() => {}) : reached;
      },
    }),
  },
  {
    wrong: "never ends its first close()",
    caughtBy: ["close() right after opening resolves"],
    defect: (sound) => {
      let calls = 0;
      return {
        close: () => {
          const closed = sound.close();
          return ++calls === 1 ? new Promise(() => {}) : closed;
        },
      };
    },
  },
  {
    wrong: "closes every instance",
    caughtBy: ["closing an instance leaves the others alone"],
    defect: ((): Defect => {
      const all: Backplane[] = [];
      return (sound) => {
        all.push(sound);
        return { close: async () => void await Promise.all(all.map((each) => each.close())) };
      };
    })(),
  },
];
