/**
 * What raw clients and an ASP.NET Core server said to each other; `vectors/aspnet-wire.json`.
 *
 * @module
 */
import vectors from "../../vectors/aspnet-wire.json" with { type: "json" };

/** What the client does. */
export interface SendStep {
  /** Tells sockets of one case apart. */
  readonly label?: string;
  /** A request, or with `upgrade` the opening of a WebSocket. */
  readonly method?: string;
  readonly upgrade?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly bodyHex?: string;
  /** A frame. */
  readonly opcode?: number;
  readonly text?: string;
  readonly hex?: string;
  /** A MessagePack message with placeholders in it, in place of `hex`; no transcript has it. */
  readonly packed?: readonly unknown[];
  readonly closeCode?: number;
  readonly reason?: string;
  /** What is done to the socket, or to that of an event stream. */
  readonly tcp?: string;
}

/** What the server answers. */
export interface ReceiveStep {
  readonly label?: string;
  /** An answer to a request or opening. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly bodyHex?: string;
  /** A piece of an event stream, or its end. */
  readonly chunk?: string;
  readonly sse?: string;
  /** A frame. */
  readonly opcode?: number;
  readonly text?: string;
  readonly hex?: string;
  readonly packed?: readonly unknown[];
  readonly closeCode?: number;
  readonly reason?: string;
}

/** One line of a transcript. */
export interface Step {
  readonly setup?: string;
  readonly wait?: string;
  readonly send?: SendStep;
  readonly receive?: ReceiveStep;
}

/** One transcript. */
export interface Transcript {
  readonly name: string;
  readonly note: string;
  /** The hub protocol of its sockets. */
  readonly protocol: string;
  readonly steps: readonly Step[];
}

/** All transcripts, in their order. */
export const TRANSCRIPTS: readonly Transcript[] = (vectors as readonly Record<string, unknown>[])
  .filter((entry) => "case" in entry)
  .map(({ case: name, note, protocol, steps }) => ({
    name: String(name),
    note: String(note ?? ""),
    protocol: String(protocol),
    steps: steps as Step[],
  }));
