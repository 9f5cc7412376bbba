/**
 * Where this library deliberately answers otherwise than ASP.NET Core, and what is not there yet.
 *
 * Everywhere: the lengths and encoding of HTTP bodies are the platform's business (upstream chunks
 * texts), and JSON is compared by its values, because upstream escapes more than JSON needs.
 *
 * @module
 */
import type { ReceiveStep, Step } from "./transcripts.ts";

/** One difference. */
export interface Difference {
  /** The transcript; all of them if absent. */
  readonly case?: string;
  readonly reason: string;
  /** What stands in place of a step. */
  readonly change: (step: Step) => readonly Step[];
}

/** Transcripts that are not replayed: what they are about is not part of the library yet. */
export const NOT_YET: readonly (readonly [cases: RegExp, reason: string])[] = [
  [/^CORS$|origin that is not listed/, "cross-origin answers are the embedding application's"],
  [/^stream|^upload/, "streams"],
  [/^client result/, "client results"],
  [/^messagepack:/, "MessagePack clients"],
  [/^SSE:/, "Server-Sent Events"],
  [/^long polling:/, "long polling"],
  [/^stateful:/, "stateful reconnect"],
  [/^authentication expires$/, "expiry of authentication"],
  [/^lifetime manager fails/, "clients are admitted while the backplane is away"],
];

/** The deliberate differences. */
export const DIFFERENCES: readonly Difference[] = [
  {
    reason: "only WebSockets are served for now",
    change: received((step) => {
      if (step.body?.includes("availableTransports") !== true) return step;
      const body = JSON.parse(step.body);
      return { ...step, body: JSON.stringify({ ...body, availableTransports: WEBSOCKETS }) };
    }),
  },
  {
    case: "negotiate stateful reconnect",
    reason: "stateful reconnect is never granted for now",
    change: received((step) => {
      const { useStatefulReconnect: _, ...body } = JSON.parse(step.body ?? "{}");
      return { ...step, body: JSON.stringify(body) };
    }),
  },
  {
    case: "negotiate with some transports disabled",
    reason: "there is no option to switch transports off; /wsonly is what every hub is",
    change: onlyPath("/wsonly"),
  },
  {
    case: "transport disabled",
    reason: "there is no option to switch transports off; /wsonly is what every hub is",
    change: onlyPath("/wsonly"),
  },
  {
    case: "handshake messagepack: the answer is a binary frame",
    reason: "MessagePack clients are refused for now, and a refusal is text",
    change: (step) =>
      step.receive?.hex === undefined ? [step] : [
        { receive: text({ error: "The protocol 'messagepack' is not supported." }) },
        { receive: { opcode: 8, closeCode: 1000, reason: "" } },
      ],
  },
  {
    case: "handshake failures",
    reason: "there is no option to switch protocols off",
    change: withoutLabel("socket 2"),
  },
  {
    case: "handshake failures",
    reason: "MessagePack clients are refused for now, whatever their version",
    change: received((step) =>
      step.text?.includes("'messagepack'")
        ? { ...step, ...text({ error: "The protocol 'messagepack' is not supported." }) }
        : step
    ),
  },
  {
    case: "handshake failures, detailed errors",
    reason: "what a JSON parser says of broken JSON is its own",
    change: received((step) =>
      step.text?.includes("JsonReaderException")
        ? {
          ...step,
          ...text({
            error:
              "An unexpected error occurred during connection handshake. JsonReaderException: The handshake is not valid JSON.",
          }),
        }
        : step
    ),
  },
  ...["invocation errors", "invocation errors, detailed errors"].map((name): Difference => ({
    case: name,
    reason: "arguments have no types at run time (3), methods have no policies (6), " +
      "streams are not there yet (9, 10)",
    change: withoutInvocations("3", "6", "9", "10"),
  })),
  {
    case: "one invocation at a time, streams beside it",
    reason: "streams are not there yet",
    change: withoutInvocations("2", "4"),
  },
  {
    case: "client closes the socket: 1000 in answer to any code",
    reason: "the platform answers a close frame with the code it came with",
    change: received((step) =>
      step.closeCode === 1000 ? { ...step, closeCode: 3001, reason: "bye" } : step
    ),
  },
  {
    case: "OnConnected throws",
    reason: "client results are not there yet",
    change: withoutLabel("/askinconnect"),
  },
];

const WEBSOCKETS = [{ transport: "WebSockets", transferFormats: ["Text", "Binary"] }];

/** A frame of one record. */
function text(record: unknown): ReceiveStep {
  return { opcode: 1, text: `${JSON.stringify(record)}\x1e` };
}

function received(change: (step: ReceiveStep) => ReceiveStep): Difference["change"] {
  return (step) => [step.receive === undefined ? step : { receive: change(step.receive) }];
}

function withoutLabel(label: string): Difference["change"] {
  return ({ send, receive, ...step }) =>
    (send ?? receive)?.label === label ? [] : [{
      ...step,
      ...(send ? { send } : undefined),
      ...(receive ? { receive } : undefined),
    }];
}

/** Leaves requests to another path out, with their answers. */
function onlyPath(path: string): Difference["change"] {
  let kept = true;
  return (step) => {
    const asked = step.send?.path ?? step.setup;
    if (asked !== undefined) kept = asked.includes(path);
    return kept ? [step] : [];
  };
}

/** Leaves the records of some calls out, in both directions. */
function withoutInvocations(...ids: readonly string[]): Difference["change"] {
  const rest = (frame: string) =>
    frame.split("\x1e").slice(0, -1)
      .filter((record) => !ids.includes(JSON.parse(record).invocationId))
      .map((record) => `${record}\x1e`).join("");
  return (step) => {
    const before = (step.send ?? step.receive)?.text;
    if (before === undefined) return [step];
    const text = rest(before);
    if (text === "") return [];
    return [step.send ? { send: { ...step.send, text } } : { receive: { ...step.receive, text } }];
  };
}
