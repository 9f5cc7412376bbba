/** Receives the reports that no caller gets; `console` is one. */
export type Logger = Pick<Console, "debug" | "error" | "info" | "warn">;
