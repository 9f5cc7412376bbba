/**
 * What a difference makes of the steps of a transcript.
 *
 * @module
 */
import type { Difference } from "./differences.ts";
import { packedRecords } from "./records.ts";
import { unhex } from "../../kit/hex.ts";
import type { ReceiveStep, SendStep, Step } from "./transcripts.ts";

/** A frame of one record. */
export function text(record: unknown): { readonly opcode: number; readonly text: string } {
  return { opcode: 1, text: `${JSON.stringify(record)}\x1e` };
}

/** Changes what is received. */
export function received(change: (step: ReceiveStep) => ReceiveStep): Difference["change"] {
  return (step) => [step.receive === undefined ? step : { receive: change(step.receive) }];
}

/** A call that shows that its connection is served, and its answer. */
const CALL = text({ type: 1, invocationId: "o", target: "Echo", arguments: ["open"] });
const ANSWER = text({ type: 3, invocationId: "o", result: "open" });

/**
 * Shows that a socket is served which upstream closes: in place of the last that it is told, `first` is
 * received, if there is something, and a call is answered.
 */
export function servesOn(
  isLast: (step: ReceiveStep) => boolean,
  ...first: readonly ReceiveStep[]
): Difference["change"] {
  return (step, at, steps) => {
    const { receive } = step;
    if (receive === undefined) return [step];
    const before = steps[at - 1]?.receive;
    if (before !== undefined && isLast(before) && receive.closeCode !== undefined) return [];
    if (!isLast(receive)) return [step];
    const { label } = receive;
    const on = label === undefined ? {} : { label };
    return [
      ...first.map((step) => ({ receive: { ...on, ...step } })),
      { send: { ...on, ...CALL } },
      { receive: { ...on, ...ANSWER } },
    ];
  };
}

/** Shows that polls wait which upstream answers 500: each gets the answer to a call that is posted. */
export const pollsWait: Difference["change"] = (step, at, steps) => {
  const { send, receive } = step;
  if (steps[at + 1]?.receive?.status === 500) return [{ send: { ...send, label: "poll" } }];
  const path = steps[at - 1]?.send?.path;
  if (receive?.status !== 500 || path === undefined) return [step];
  const headers = { ...receive.headers, "content-type": "application/octet-stream" };
  return [
    { send: { method: "POST", path, body: CALL.text, label: "post" } },
    { receive: { status: 200, headers: { "content-type": "text/plain" }, label: "post" } },
    { receive: { status: 200, headers, body: ANSWER.text, label: "poll" } },
  ];
};

/** Refuses negotiate version 0. */
export const refusesVersion0: Difference["change"] = received((step) =>
  step.body?.startsWith('{"negotiateVersion":0') || step.body?.includes(',"negotiateVersion":0')
    ? {
      ...step,
      body: JSON.stringify({
        error: "The client requested version '0', but the server does not support this version.",
      }),
    }
    : step
);

/** Leaves out a word that was sent behind a JSON object. */
export const withoutTrailingText: Difference["change"] = ({ send, ...step }) => [
  send?.text === undefined
    ? { ...step, ...send && { send } }
    : { ...step, send: { ...send, text: send.text.replace(/(?<=\}) [a-z]+(?=\P{L}$)/u, "") } },
];

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
