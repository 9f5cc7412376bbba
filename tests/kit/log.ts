import type { Logger } from "../../mod.ts";
import { Events } from "./wait.ts";

/** A logger that keeps what it is told. */
export class KeptLog implements Logger {
  /** Every call but those of `debug`: the level, then all arguments. */
  readonly lines: string[] = [];
  /** The first argument of each error. */
  readonly errors: Events<string> = new Events<string>();
  /** The first argument of each warning. */
  readonly warnings: Events<string> = new Events<string>();
  /** The arguments of the calls of `debug`. */
  readonly details: string[] = [];
  readonly debug = (...parts: unknown[]): void => void this.details.push(parts.join(" "));
  readonly info = (...parts: unknown[]): void => this.#keep("info", parts);
  readonly error = (...parts: unknown[]): void => {
    this.#keep("error", parts);
    this.errors.add(String(parts[0]));
  };
  readonly warn = (...parts: unknown[]): void => {
    this.#keep("warn", parts);
    this.warnings.add(String(parts[0]));
  };

  #keep(level: string, parts: readonly unknown[]): void {
    this.lines.push([level, ...parts].join(" "));
  }
}
