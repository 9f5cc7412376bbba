import type { Logger } from "../../mod.ts";
import { Arrivals } from "./arrivals.ts";

/** Keeps what was logged: the first argument of each call. */
export class RecordingLogger implements Logger {
  readonly errors: Arrivals<string> = new Arrivals<string>();
  readonly warnings: Arrivals<string> = new Arrivals<string>();

  readonly error = (text: unknown): void => this.errors.add(String(text));
  readonly warn = (text: unknown): void => this.warnings.add(String(text));
  readonly info = (): void => {};
  readonly debug = (): void => {};
}
