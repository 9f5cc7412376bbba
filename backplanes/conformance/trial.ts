import type { Backplane, BackplaneStatus, BackplaneStatusEvent } from "../backplane.ts";
import type { BackplaneOptions } from "../driver/options.ts";
import { bytes, check, pause, shown, SLACK, WAIT_LIMIT, within } from "./assert.ts";
import type { ConformanceBus, ConformanceFaults, ConformanceSubject } from "./subject.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Short times that are still far longer than a busy machine needs for an answer. */
const FAULTS: ConformanceFaults = {
  publishTimeout: 1000,
  probeInterval: 200,
  probeTimeout: 1000,
  outage: 6000,
};

/** Keeps the payloads that a handler receives, as text. */
export class Inbox {
  /** Every payload, in the order of arrival. */
  readonly texts: string[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #patience: number;

  constructor(patience: number) {
    this.#patience = patience;
  }

  /** The handler to give to `subscribe`. */
  readonly handler = (payload: Uint8Array): void => {
    this.texts.push(decoder.decode(payload));
    for (const look of [...this.#waiting]) look();
  };

  /** Resolves once `text` has arrived. */
  heard(text: string): Promise<void> {
    return this.#until(() => this.texts.includes(text), () => `${shown(text)} arrives`);
  }

  /** Resolves once at least `count` payloads have arrived. */
  counted(count: number): Promise<void> {
    return this.#until(() => this.texts.length >= count, () => `${count} messages arrive`);
  }

  async #until(holds: () => boolean, what: () => string): Promise<void> {
    if (holds()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (holds()) resolve();
    };
    this.#waiting.add(look);
    try {
      await within(
        promise,
        () => `${what()}; ${this.texts.length} arrived: ${shown(this.texts)}`,
        this.#patience,
      );
    } finally {
      this.#waiting.delete(look);
    }
  }
}

/** Remembers the status events of a backplane. */
export class History {
  /** Every event since this history was made. */
  readonly events: BackplaneStatusEvent[] = [];
  readonly #backplane: Backplane;
  readonly #patience: number;

  constructor(backplane: Backplane, patience: number) {
    this.#backplane = backplane;
    this.#patience = patience;
    backplane.onStatus((event) => this.events.push(event));
  }

  /** Whether a reported gap overlaps the time from `start` to `end` (epoch milliseconds). */
  covers(start: number, end: number): boolean {
    return this.events.some(({ gap }) =>
      gap !== undefined && gap.since <= end && start <= gap.until
    );
  }

  /** Resolves once a reported gap holds the whole time from `start` to `end` (epoch milliseconds). */
  async reports(start: number, end: number): Promise<void> {
    const gaps = () => this.events.flatMap(({ gap }) => gap ?? []);
    await this.#until(
      () => gaps().some(({ since, until }) => since <= start && until >= end),
      () => `a gap that covers ${start} to ${end} (there are ${JSON.stringify(gaps())})`,
    );
  }

  /** Resolves once the backplane has one of these statuses. */
  async reaches(...statuses: BackplaneStatus[]): Promise<void> {
    await this.#until(
      () => statuses.includes(this.#backplane.status),
      () => `status ${statuses.join(" or ")} (it is ${this.#backplane.status})`,
    );
  }

  async #until(holds: () => boolean, what: () => string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    using _listening = this.#backplane.onStatus(() => {
      if (holds()) resolve();
    });
    if (holds()) return;
    await within(promise, what, this.#patience);
  }
}

/** One run of one case: opens instances under a prefix of its own, and closes them at the end. */
export class Trial implements AsyncDisposable {
  /** The prefix of this run; random. */
  readonly prefix: string = `conformance:${crypto.randomUUID()}:`;
  /** The longest that a wait may take, in milliseconds. */
  readonly patience: number;
  /** The time that a busy machine may add to a time that the contract bounds, in milliseconds. */
  readonly slack: number;
  /** Options for instances whose bus has a fault. */
  readonly faults: Omit<ConformanceFaults, "outage">;
  /** How long a long outage lasts, in milliseconds. */
  readonly outage: number;
  /** The calls of the driver's logger. */
  readonly logged: unknown[][] = [];
  readonly #subject: ConformanceSubject;
  readonly #opened: Backplane[] = [];
  #stopped = false;
  #paused = false;
  #parted = false;

  constructor(subject: ConformanceSubject) {
    this.#subject = subject;
    this.patience = subject.patience ?? WAIT_LIMIT;
    this.slack = Math.min(SLACK, this.patience);
    const { outage, ...faults } = { ...FAULTS, ...subject.faults };
    this.faults = faults;
    this.outage = outage;
  }

  /** Opens an instance, which may not have reached the bus yet. */
  async opening(options: BackplaneOptions = {}, prefix: string = this.prefix): Promise<Backplane> {
    const log = (...args: unknown[]) => void this.logged.push(args);
    const logger = { error: log, warn: log };
    const backplane = await this.#subject.open(prefix, { logger, ...options });
    this.#opened.push(backplane);
    return backplane;
  }

  /** Opens an instance and waits until it is `open`. */
  async open(options?: BackplaneOptions, prefix?: string): Promise<Backplane> {
    const backplane = await this.opening(options, prefix);
    await this.history(backplane).reaches("open");
    return backplane;
  }

  /** Opens two instances, both `open`. */
  pair(options?: BackplaneOptions): Promise<[Backplane, Backplane]> {
    return Promise.all([this.open(options), this.open(options)]);
  }

  /** Makes an inbox. */
  inbox(): Inbox {
    return new Inbox(this.patience);
  }

  /** Begins to remember the status events of `backplane`. */
  history(backplane: Backplane): History {
    return new History(backplane, this.patience);
  }

  /** The channel that the bus refuses. */
  get refusedChannel(): string {
    const { refusedChannel } = this.#subject;
    check(refusedChannel !== undefined, "this case needs a channel that the bus refuses");
    return refusedChannel;
  }

  /** The faults of the bus; each is undone at the end of the trial. */
  get bus(): Required<ConformanceBus> {
    const { bus } = this.#subject;
    check(bus !== undefined, "this case needs a bus that can be stopped");
    return {
      stop: async () => {
        await bus.stop();
        this.#stopped = true;
      },
      start: async () => {
        await bus.start();
        this.#stopped = false;
      },
      pause: async () => {
        check(bus.pause !== undefined, "this case needs a bus that can be paused");
        await bus.pause();
        this.#paused = true;
      },
      resume: async () => {
        await bus.resume?.();
        this.#paused = false;
      },
      part: async () => {
        check(bus.part !== undefined, "this case needs a bus that can be parted");
        await bus.part();
        this.#parted = true;
      },
      rejoin: async () => {
        await bus.rejoin?.();
        this.#parted = false;
      },
    };
  }

  /** Ends the faults of the bus and closes every instance. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#paused) await this.bus.resume();
    if (this.#stopped) await this.bus.start();
    if (this.#parted) await this.bus.rejoin();
    await within(
      Promise.all(this.#opened.map((backplane) => backplane.close())),
      "every instance closes",
    );
  }
}

/** Publishes a marker over and over until one has arrived. */
export async function reachesAgain(
  trial: Trial,
  sender: Backplane,
  channel: string,
  inbox: Inbox,
): Promise<void> {
  const marker = `marker ${crypto.randomUUID()}`;
  const give = performance.now() + trial.patience;
  // The bus may drop the connection as late as now.
  while (!inbox.texts.includes(marker)) {
    check(performance.now() < give, "no message arrives after the bus went on");
    const published = sender.publish(channel, bytes(marker)).catch(() => {});
    await within(published, "publish() settles after the bus went on");
    await pause(20);
  }
}
