/** A node that the demo has started, wherever it runs. */
export interface DemoNode {
  /** Where its page is. */
  readonly url: string;
  /** Its process, if it has one of its own. */
  readonly pid?: number;
  /** Resolves when it has ended, by itself or because it was stopped. */
  readonly ended: Promise<void>;
  /** Drains it and ends it. */
  stop(): Promise<void>;
}
