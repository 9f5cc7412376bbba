/** Something that may have too much to send. */
export interface Congestible {
  /** Whether it has. */
  readonly congested: boolean;
}

/** How often those that wait are looked at, in milliseconds: native sockets do not say when they have drained. */
const LOOK_INTERVAL = 50;

const waiting = new Map<Congestible, PromiseWithResolvers<void>>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Resolves when `outlet` is not congested any more. All that wait share one timer. */
export function relieved(outlet: Congestible): Promise<void> {
  let wait = waiting.get(outlet);
  if (wait === undefined) waiting.set(outlet, wait = Promise.withResolvers());
  timer ??= setInterval(look, LOOK_INTERVAL);
  return wait.promise;
}

function look(): void {
  for (const [outlet, wait] of waiting) {
    if (outlet.congested) continue;
    waiting.delete(outlet);
    wait.resolve();
  }
  if (waiting.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}
