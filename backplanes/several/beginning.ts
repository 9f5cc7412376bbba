import type { BackplaneStatus, BackplaneStatusEvent } from "../backplane.ts";

/** How long a bus may take to be reached or found away before the others go without it, in milliseconds. */
const PATIENCE = 5000;

/** The time from the start until each bus has been reached or is known to be away. */
export class Beginning {
  /** The places of those that are neither. */
  readonly #awaited: Set<number>;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;

  /** `late` is called when some bus takes longer than `patience` milliseconds. */
  constructor(
    statuses: readonly BackplaneStatus[],
    late: () => void,
    patience: number = PATIENCE,
  ) {
    this.#awaited = new Set(
      statuses.flatMap((status, index) => status === "connecting" ? [index] : []),
    );
    if (this.isOver) return;
    this.#timer = setTimeout(() => {
      this.end();
      late();
    }, patience);
  }

  get isOver(): boolean {
    return this.#awaited.size === 0;
  }

  /** Bus `index` has told its status. */
  heard(index: number, { status, error }: BackplaneStatusEvent): void {
    if (status !== "connecting" || error !== undefined) this.#awaited.delete(index);
    if (this.isOver) this.end();
  }

  end(): void {
    this.#awaited.clear();
    clearTimeout(this.#timer);
  }
}
