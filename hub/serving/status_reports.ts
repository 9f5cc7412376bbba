import { GapReports, type MessageGap } from "../bus/gap_reports.ts";
import type { Backplane, BackplaneStatus } from "../bus/node_context.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../definition/logger.ts";

/** An event for the listeners of `server.onStatus`. */
export interface ServerStatusEvent {
  /** The status of the backplane from now on; equals the one before when only a gap is reported. */
  readonly status: BackplaneStatus;
  /** Why, where there is a reason to give. */
  readonly error?: Error;
  /** Messages of other nodes may have been missed: what has become of them. */
  readonly gap?: MessageGap;
}

/** The parts of a node that {@link StatusReports} needs. */
export interface StatusContext {
  readonly backplane: Backplane;
  readonly time: Clock;
  readonly logger: Logger;
}

/** Tells the log and the application of each change of the backplane's status, and of each gap. */
export class StatusReports {
  readonly gaps: GapReports;
  readonly #logger: Logger;
  readonly #listeners = new Set<{ call: (event: ServerStatusEvent) => unknown }>();
  #status: BackplaneStatus;
  #gapCount = 0;

  constructor(context: StatusContext, onGap: ((gap: MessageGap) => unknown) | undefined) {
    const { backplane, logger } = context;
    this.#logger = logger;
    this.#status = backplane.status;
    this.gaps = new GapReports(context, (event) => {
      this.#gapCount++;
      this.#log(event.gap);
      notify(() => onGap?.(event.gap), "onGap", logger);
      this.#tell(event);
    });
    backplane.onStatus(({ status, error }) => {
      // A gap is told when it is known what has become of it.
      if (status === this.#status && error === undefined) return;
      this.#status = status;
      this.#tell({ status, ...error && { error } });
    });
  }

  /** How many gaps were reported. */
  get gapCount(): number {
    return this.#gapCount;
  }

  /** Calls `listener` with every event, until the result is disposed; a listener that fails is logged. */
  listen(listener: (event: ServerStatusEvent) => unknown): Disposable {
    const entry = { call: listener };
    this.#listeners.add(entry);
    return { [Symbol.dispose]: () => void this.#listeners.delete(entry) };
  }

  /** Reports no more gaps. */
  close(): void {
    this.gaps.close();
  }

  #tell(event: ServerStatusEvent): void {
    for (const { call } of [...this.#listeners]) {
      notify(() => call(event), "onStatus", this.#logger);
    }
  }

  #log({ since, until, repaired, channels, missing }: MessageGap): void {
    const when = `from ${new Date(since).toISOString()} to ${new Date(until).toISOString()}`;
    if (repaired) return this.#logger.info(`Messages of other nodes were late ${when}`);
    const lost = missing === undefined ? "" : `: at least ${missing}`;
    const where = channels === undefined ? "" : ` on ${channels.length} channels`;
    this.#logger.warn(`Messages of other nodes may have been missed ${when}${lost}${where}`);
  }
}

/** Calls `listener` with every change of a node; a listener that fails is logged. */
export function listenToNodes<E>(
  nodes: { onChange(listener: (event: E) => void): Disposable },
  listener: (event: E) => unknown,
  logger: Logger,
): Disposable {
  return nodes.onChange((event) => void notify(() => listener(event), "onNodes", logger));
}

/** A listener of the application may throw, or be `async` and reject: neither may end the process. */
async function notify(call: () => unknown, name: string, logger: Logger): Promise<void> {
  try {
    await call();
  } catch (error) {
    logger.error(`${name} failed:`, error);
  }
}
