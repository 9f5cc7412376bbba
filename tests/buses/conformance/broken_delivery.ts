import type { BackplaneHandler } from "../../../backplanes/backplane.ts";
import type { BrokenDriver, Defect } from "./broken.ts";

/** Gives every channel the name that `rename` makes of it. */
function renames(rename: (channel: string) => string): Defect {
  return (sound) => ({
    publish: (channel, payload) => sound.publish(rename(channel), payload),
    subscribe: (channel, handler) => sound.subscribe(rename(channel), handler),
  });
}

/** Drivers that deliver wrongly, or to the wrong channel. */
export const BROKEN_DELIVERY: readonly BrokenDriver[] = [
  {
    wrong: "drops messages",
    caughtBy: ["a message arrives exactly once"],
    defect: (sound) => {
      let count = 0;
      return {
        publish: (channel, payload) =>
          ++count % 10 === 0 ? Promise.resolve(1) : sound.publish(channel, payload),
      };
    },
  },
  {
    wrong: "drops what is over 256 in a turn",
    caughtBy: ["each publisher's order is kept"],
    defect: (sound) => {
      // What BroadcastChannel does to a busy receiver.
      let inTurn = 0;
      return {
        publish: (channel, payload) => {
          if (inTurn++ === 0) setTimeout(() => inTurn = 0);
          return inTurn > 256 ? Promise.resolve(undefined) : sound.publish(channel, payload);
        },
      };
    },
  },
  {
    wrong: "says that a counted message reached nobody",
    caughtBy: ["a counted publish() resolves with 0 only if nobody is subscribed"],
    defect: (sound) => ({
      publish: async (channel, payload, counted) => {
        const reached = await sound.publish(channel, payload);
        return counted ? 0 : reached;
      },
    }),
  },
  {
    wrong: "duplicates messages",
    caughtBy: ["a message arrives exactly once"],
    defect: (sound) => ({
      publish: async (channel, payload) => {
        await sound.publish(channel, payload);
        return await sound.publish(channel, payload);
      },
    }),
  },
  {
    wrong: "reorders messages",
    caughtBy: ["10,000 messages of one publisher arrive in order"],
    defect: (sound) => {
      let count = 0;
      return {
        publish: async (channel, payload) => {
          if (++count % 100 === 0) await Promise.resolve();
          return await sound.publish(channel, payload);
        },
      };
    },
  },
  {
    wrong: "delivers a message after the one behind it",
    caughtBy: ["200 messages awaited one by one arrive in order"],
    defect: (sound) => ({
      subscribe: (channel, handler) => {
        let held: Uint8Array | undefined;
        let count = 0;
        return sound.subscribe(channel, (payload) => {
          if (++count === 10) held = payload;
          else handler(payload);
          if (count === 11 && held !== undefined) handler(held);
        });
      },
    }),
  },
  {
    wrong: "takes payloads for text",
    caughtBy: ["a payload arrives unchanged: empty, every byte value, 1 MiB"],
    defect: (sound) => ({
      publish: (channel, payload) =>
        sound.publish(channel, new TextEncoder().encode(new TextDecoder().decode(payload))),
    }),
  },
  {
    wrong: "truncates payloads",
    caughtBy: ["a payload arrives unchanged: empty, every byte value, 1 MiB"],
    defect: (sound) => ({
      publish: (channel, payload) => sound.publish(channel, payload.subarray(0, 65_536)),
    }),
  },
  {
    wrong: "keeps the publisher's buffer",
    caughtBy: ["the publisher may change its buffer once publish() has returned"],
    defect: (sound) => ({
      publish: (channel, payload) => {
        setTimeout(() => sound.publish(channel, payload).catch(() => {}));
        return Promise.resolve(undefined);
      },
    }),
  },
  {
    wrong: "delivers on every channel",
    caughtBy: ["nothing arrives on another channel"],
    defect: (sound) => {
      const handlers = new Set<BackplaneHandler>();
      return {
        subscribe: (channel, handler) => {
          handlers.add(handler);
          return sound.subscribe(channel, (payload) => {
            for (const each of handlers) each(payload);
          });
        },
      };
    },
  },
  {
    wrong: "hands own messages back twice",
    caughtBy: ["an own message comes back at most once"],
    defect: (sound) => {
      const own = new Map<string, BackplaneHandler>();
      return {
        subscribe: (channel, handler) => {
          own.set(channel, handler);
          return sound.subscribe(channel, handler);
        },
        publish: async (channel, payload) => {
          const reached = await sound.publish(channel, payload);
          for (let time = 0; time < 2; time++) own.get(channel)?.(payload);
          return reached;
        },
      };
    },
  },
  {
    wrong: "miscounts subscribers",
    caughtBy: [
      "publish() resolves with the number of subscribers or undefined",
      "publish() without subscribers resolves with 0 or undefined",
    ],
    defect: (sound) => ({
      publish: async (channel, payload) => (await sound.publish(channel, payload) ?? 0) + 1,
    }),
  },
  {
    wrong: "ignores case in names",
    caughtBy: ["a channel name is never a pattern, and no two names are one"],
    defect: renames((name) => name.toLowerCase()),
  },
  {
    wrong: "trims names",
    caughtBy: ["a channel name is never a pattern, and no two names are one"],
    defect: renames((name) => name.trim() || "-"),
  },
  {
    wrong: "normalises names",
    caughtBy: ["a channel name is never a pattern, and no two names are one"],
    defect: renames((name) => name.normalize("NFKC")),
  },
  {
    wrong: "takes * for a dot",
    caughtBy: ["a channel name is never a pattern, and no two names are one"],
    defect: renames((name) => name.replaceAll("*", ".")),
  },
  {
    wrong: "shortens names",
    caughtBy: ["a channel name may have 1,024 bytes"],
    defect: renames((name) => name.slice(0, 1000)),
  },
  {
    wrong: "takes any name",
    caughtBy: ["an empty name, one of 1,025 bytes and a lone surrogate are a RangeError"],
    defect: renames((name) => name.toWellFormed().slice(0, 99) || "-"),
  },
];
