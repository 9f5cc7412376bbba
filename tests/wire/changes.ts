/**
 * What a difference makes of the steps of a transcript.
 *
 * @module
 */
import type { Difference } from "./differences.ts";
import { packedRecords } from "./records.ts";
import { unhex } from "../protocol/hex.ts";
import type { ReceiveStep, SendStep, Step } from "./transcripts.ts";

/** A frame of one record. */
export function text(record: unknown): ReceiveStep {
  return { opcode: 1, text: `${JSON.stringify(record)}\x1e` };
}

/** Changes what is received. */
export function received(change: (step: ReceiveStep) => ReceiveStep): Difference["change"] {
  return (step) => [step.receive === undefined ? step : { receive: change(step.receive) }];
}

/** Leaves out what belongs to one label. */
export function withoutLabel(label: string): Difference["change"] {
  return ({ send, receive, ...step }) =>
    (send ?? receive)?.label === label ? [] : [{
      ...step,
      ...(send ? { send } : undefined),
      ...(receive ? { receive } : undefined),
    }];
}

/** Leaves out what happens on some of the sockets that are opened one after the other. */
export function withoutSockets(...numbers: readonly number[]): Difference["change"] {
  return (step, at, steps) => {
    const opened = steps.slice(0, at + 1).filter(({ setup }) => setup !== undefined).length;
    return numbers.includes(opened) ? [] : [step];
  };
}

/** Leaves polls out, and their answers, from the one of that number. */
export function withoutPollsFrom(number: number): Difference["change"] {
  return (step, at, steps) => {
    const polls = steps.slice(0, at + 1).filter(({ send }) => send?.method === "GET").length;
    return polls >= number ? [] : [step];
  };
}

/** Has a placeholder where upstream counts its questions: in the MessagePack messages called `s1`. */
export function withRandomId({ send, receive, ...step }: Step): readonly Step[] {
  const changed = <S extends SendStep | ReceiveStep>(part: S): S => {
    const [record] = packedRecords(unhex(part.hex ?? ""));
    if (!Array.isArray(record) || record[2] !== "s1") return part;
    const { hex: _, ...rest } = part;
    return { ...rest, packed: record.with(2, "{serverInvocationId}") } as unknown as S;
  };
  return [{
    ...step,
    ...(send ? { send: changed(send) } : undefined),
    ...(receive ? { receive: changed(receive) } : undefined),
  }];
}
