/**
 * Where this library deliberately answers otherwise than ASP.NET Core, and why.
 *
 * Everywhere: the lengths and encoding of HTTP bodies are the platform's business (upstream chunks
 * texts), and JSON is compared by its values, because upstream escapes more than JSON needs.
 *
 * @module
 */
import {
  pollsWait,
  received,
  refusesVersion0,
  servesOn,
  text,
  withoutTrailingText,
  withRandomId,
} from "./changes.ts";
import { stepRecords } from "./records.ts";
import type { Step } from "./transcripts.ts";

/** One difference. */
export interface Difference {
  /** The transcript. */
  readonly case: string;
  readonly reason: string;
  /** What stands in place of a step, of which `at` tells the place in the transcript. */
  readonly change: (step: Step, at: number, steps: readonly Step[]) => readonly Step[];
}

/** The deliberate differences. */
export const DIFFERENCES: readonly Difference[] = [
  ...[
    "negotiate without a version is version 0",
    "negotiate stateful reconnect",
    "CORS",
  ].map((name): Difference => ({
    case: name,
    reason: "negotiate version 0 is not served: its public id would be the secret of a connection",
    change: refusesVersion0,
  })),
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
    case: "message larger than the limit",
    reason: "the text names the option of this library, not a method of upstream's",
    change: received((step) => ({
      ...step,
      ...step.text !== undefined && {
        text: step.text.replace("in AddHubOptions", "with maximumReceiveMessageSize"),
      },
    })),
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
    reason: "there is no option to switch protocols off: the client is let in",
    change: servesOn((step) => step.text?.includes("'json' is not supported") === true, text({})),
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
  ...["handshake accepted forms", "accepted oddities"].map((name): Difference => ({
    case: name,
    reason: "text behind a JSON object is an error: the same messages are accepted without it",
    change: withoutTrailingText,
  })),
  ...["invocation errors", "invocation errors, detailed errors"].map((name): Difference => ({
    case: name,
    reason: "an argument that its schema refuses is told with where and why",
    change: received((step) =>
      step.text?.includes("'Add'") !== true ? step : text({
        type: 3,
        invocationId: "3",
        error: "Failed to invoke 'Add' due to an error on the server. HubException: Cannot take " +
          "arguments[0]: Expected a number",
      })
    ),
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
    case: "upload items for unknown streams are ignored",
    reason: "they are, in whatever order their members are",
    change: servesOn((step) => step.text?.includes("KeyNotFoundException") === true),
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
    reason: "results of clients have no types at run time: a text and null are results",
    change: received((step) =>
      step.text?.includes("Error trying to deserialize") !== true ? step : text({
        type: 3,
        invocationId: "1",
        // The place of the error tells the values apart.
        result: step.text.includes("BytePositionInLine: 6") ? "text" : null,
      })
    ),
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
        ? { opcode: 2, packed: [3, {}, "3", 3, { count: 5, fullName: null, shade: 1 }] }
        : step
    ),
  },
  {
    case: "messagepack: value types",
    reason: "none: the transcript leaves out the calls; their methods are called Get and the value",
    change(step) {
      if (step.receive === undefined) return [step];
      const [, , name] = stepRecords(step.receive)[0] as readonly unknown[];
      return [{ send: { opcode: 2, packed: [1, {}, name, `Get${name}`, []] } }, step];
    },
  },
  {
    case: "messagepack: client result",
    reason: "a question's id is random, as between nodes, and not counted",
    change: withRandomId,
  },
  {
    case: "lifetime manager fails on connect",
    reason: "clients are admitted while the backplane is away, and served by their node",
    change: servesOn((step) => step.closeCode === 1011, text({})),
  },
  {
    case: "long polling: lifetime manager fails on connect",
    reason: "as with WebSockets: after the handshake's answer a poll waits as on any connection",
    change: pollsWait,
  },
  {
    case: "stateful: second socket while the first is open and answers the close",
    reason: "a client that comes back takes over at once, whatever is believed of its old socket",
    change: (step) =>
      step.receive?.status !== 404 ? [step] : [
        { receive: { label: "socket 2", status: 101, headers: {} } },
        { receive: { label: "socket 2", ...text({ type: 9, sequenceId: 1 }) } },
      ],
  },
  {
    case: "client closes the socket: 1000 in answer to any code",
    reason: "the platform answers a close frame with the code it came with",
    change: received((step) =>
      step.closeCode === 1000 ? { ...step, closeCode: 3001, reason: "bye" } : step
    ),
  },
  {
    case: "result that cannot be serialised closes the connection",
    reason: "the call fails and its client hears why; the other calls of the client go on",
    change: ({ receive, ...step }) => {
      if (receive?.opcode === 8) return [];
      if (receive === undefined) return [step];
      const error = "An unexpected error occurred invoking 'Cycle' on the server.";
      return [{ receive: text({ type: 3, invocationId: "1", error }) }];
    },
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
