import type { Backplane, BackplaneSubscription } from "../../../backplanes/backplane.ts";

/** What is different from a sound driver. */
export type Defect = (sound: Backplane) => Partial<Backplane>;

/** A driver that breaks a promise, and the cases that must say so. */
export interface BrokenDriver {
  /** What it does, as the end of "a driver that". */
  readonly wrong: string;
  /** The names of the cases that must fail. */
  readonly caughtBy: readonly string[];
  readonly defect: Defect;
}

/** `sound` with a defect. */
export function broken(sound: Backplane, defect: Defect): Backplane {
  const changes = defect(sound);
  return {
    get status() {
      return changes.status ?? sound.status;
    },
    publish: changes.publish ?? ((...message) => sound.publish(...message)),
    subscribe: changes.subscribe ?? ((channel, handler) => sound.subscribe(channel, handler)),
    onStatus: changes.onStatus ?? ((listener) => sound.onStatus(listener)),
    close: changes.close ?? (() => sound.close()),
    [Symbol.asyncDispose]: changes.close ?? (() => sound.close()),
  };
}

/** `sound` with a defect. */
export function altered(
  sound: BackplaneSubscription,
  changes: Partial<Pick<BackplaneSubscription, "confirmed" | "unsubscribe">>,
): BackplaneSubscription {
  const unsubscribe = changes.unsubscribe ?? (() => sound.unsubscribe());
  return {
    get confirmed() {
      return changes.confirmed ?? sound.confirmed;
    },
    unsubscribe,
    [Symbol.asyncDispose]: unsubscribe,
  };
}
