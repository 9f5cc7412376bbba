/**
 * Where this library deliberately answers otherwise than ASP.NET Core, and what is not there yet.
 *
 * Everywhere: the lengths and encoding of HTTP bodies are the platform's business (upstream chunks
 * texts), and JSON is compared by its values, because upstream escapes more than JSON needs.
 *
 * @module
 */
import { packedHex } from "./records.ts";
import type { ReceiveStep, Step } from "./transcripts.ts";

/** One difference. */
export interface Difference {
  /** The transcript; all of them if absent. */
  readonly case?: string;
  readonly reason: string;
  /** What stands in place of a step. */
  readonly change: (step: Step) => readonly Step[];
}

/** Transcripts that are not replayed: what they are about is not part of the library, or not yet. */
export const NOT_REPLAYED: readonly (readonly [cases: RegExp, reason: string])[] = [
  [/^messagepack: value types/, "types of .NET; ours are in tests/protocol/messagepack_test.ts"],
  [/^messagepack: client result/, "its answer names an invocation id of upstream's own"],
  [/^stateful:/, "stateful reconnect"],
  [/^authentication expires$/, "expiry of authentication"],
  [/lifetime manager fails/, "clients are admitted while the backplane is away"],
];

/** The deliberate differences. */
export const DIFFERENCES: readonly Difference[] = [
  {
    case: "negotiate stateful reconnect",
    reason: "stateful reconnect is never granted for now",
    change: received((step) => {
      const { useStatefulReconnect: _, ...body } = JSON.parse(step.body ?? "{}");
      return { ...step, body: JSON.stringify(body) };
    }),
  },
  {
    case: "CORS",
    reason: "a preflight is told every method that clients use, not only the one it asks for",
    change: received((step) =>
      step.headers?.["access-control-allow-methods"] === undefined ? step : {
        ...step,
        headers: { ...step.headers, "access-control-allow-methods": "GET, POST, DELETE" },
      }
    ),
  },
  {
    case: "WebSocket with an origin that is not listed",
    reason: "the answer that opens a WebSocket has no cross-origin headers: browsers need none",
    change: received((step) => step.status === 101 ? { ...step, headers: {} } : step),
  },
  {
    case: "long polling: life from negotiate to DELETE",
    reason: "upstream may answer the last poll so as well: it depends on who is faster there",
    change: received((step) =>
      step.label === "poll 4"
        ? {
          ...step,
          status: 204,
          headers: { ...step.headers, "content-type": "text/plain" },
          body: "",
        }
        : step
    ),
  },
  {
    case: "handshake failures",
    reason: "there is no option to switch protocols off",
    change: withoutLabel("socket 2"),
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
    reason: "arguments have no types at run time (3), and methods have no policies (6)",
    change: withoutInvocations("3", "6"),
  })),
  ...["invocation errors", "invocation errors, detailed errors"].map((name): Difference => ({
    case: name,
    reason: "a method does not declare that it streams, so null is a result that does not",
    change: received((step) =>
      step.text?.includes("'StreamNull'") !== true ? step : text({
        type: 3,
        invocationId: "9",
        error: "The client attempted to invoke the non-streaming 'StreamNull' method with a " +
          "streaming invocation.",
      })
    ),
  })),
  {
    case: "upload: item that does not bind, wrong number of streams",
    reason: "the items of a stream have no types at run time",
    change: withoutInvocations("1", "2", "s", "t"),
  },
  {
    case: "upload: item that does not bind, wrong number of streams",
    reason: "parameters do not say whether they are streams: without any, arguments are missing",
    change: received((step) =>
      step.text?.includes("Client sent 0 stream(s)") !== true ? step : text({
        type: 3,
        invocationId: "4",
        error: "Failed to invoke 'Sum' due to an error on the server.",
      })
    ),
  },
  {
    case: "upload items for unknown streams are ignored",
    reason: "they are, in whatever order their members are",
    change: withoutSockets(2),
  },
  {
    case: "upload stream id in use: the newer takes it over",
    reason: "as the next version of upstream, the newer call is refused and the older goes on",
    change: (step) =>
      step.receive === undefined ? [step] : [
        {
          receive: text({
            type: 3,
            invocationId: "2",
            error: "An unexpected error occurred invoking 'Sum' on the server. HubException: " +
              "Stream ID 's' is already in use.",
          }),
        },
        { receive: text({ type: 3, invocationId: "1", result: "none" }) },
      ],
  },
  {
    case: "client result failures",
    reason: "results of clients have no types at run time",
    change: withoutSockets(2, 3),
  },
  {
    case: "client result failures",
    reason: "the text is .NET's default for an exception without one",
    change: received((step) =>
      step.text?.includes("Exception of type") !== true ? step : text({
        type: 3,
        invocationId: "1",
        result: "HubException: The client completed without a result.",
      })
    ),
  },
  {
    case: "messagepack: results, errors, ping, Close with two items",
    reason: "members keep their names, and enums are what the hub makes of them",
    change: received((step) =>
      step.hex?.includes("a5436f756e74")
        ? {
          opcode: 2,
          hex: packedHex([3, {}, "3", 3, { count: 5, fullName: null, shade: 1 }]),
        }
        : step
    ),
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
    reason: "the hook has another name here, and its error is a plain one",
    change: received((step) =>
      step.label !== "/askinconnect" || step.opcode !== 1 ? step : {
        ...step,
        text: `{}\x1e${
          JSON.stringify({
            type: 7,
            error: "Connection closed with an error. Error: Client results inside connected Hub " +
              "methods are not allowed.",
          })
        }\x1e`,
      }
    ),
  },
];

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

/** Leaves out what happens on some of the sockets that are opened one after the other. */
function withoutSockets(...numbers: readonly number[]): Difference["change"] {
  let socket = 0;
  return (step) => {
    if (step.setup !== undefined) socket++;
    return numbers.includes(socket) ? [] : [step];
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
