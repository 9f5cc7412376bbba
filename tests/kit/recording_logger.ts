import type { Logger } from "../../mod.ts";
import { Events } from "./wait.ts";

/** Keeps what was logged: the first argument of each call. */
export class RecordingLogger implements Logger {
  readonly errors: Events<string> = new Events<string>();
  readonly warnings: Events<string> = new Events<string>();

  readonly error = (text: unknown): void => this.errors.add(String(text));
  readonly warn = (text: unknown): void => this.warnings.add(String(text));
  readonly info = (): void => {};
  readonly debug = (): void => {};
}
