import { described } from "./described.ts";
import { type Heard, Offence, UNREADABLE } from "./heard.ts";
import type { Answer } from "../../kit/wire_format.ts";

type Call = Heard & { readonly target: string; readonly arguments: readonly unknown[] };

/** A method of the hostile hub: how many arguments and streams it takes, and what becomes of a call. */
interface Method {
  readonly parameters: readonly [least: number, most: number];
  readonly streams: boolean;
  call(hub: ReferenceHub, message: Call): void;
}

/** An upload that a method reads. */
interface Upload {
  readonly call: Call;
  readonly items: unknown[];
}

/**
 * What the hostile hub must answer to a connection that sends certain messages: a second, small reading
 * of `specs/signalr-wire.md §9 and §12`, with detailed errors.
 */
export class ReferenceHub {
  /** The answers to each invocation id, in their order. Those to different ids may overtake. */
  readonly answers: Map<string, Answer[]> = new Map();
  /** How the connection ends, as a Close message; `undefined` while it stays. */
  closed: Answer | undefined;
  readonly #uploads = new Map<string, Upload>();
  readonly #forever = new Map<string, Call>();
  readonly #stateful: boolean;
  #next = 1;
  #latest = 0;

  /** `stateful` is whether messages are counted, because the client may come back. */
  constructor(stateful = false) {
    this.#stateful = stateful;
  }

  /** The client broke the rules of its protocol. */
  breaks(error: Error): void {
    const text = `Connection closed with an error. ${error.name}: ${error.message}`;
    this.closed ??= { type: 7, error: text, allowReconnect: true };
  }

  /** A message has come. */
  receive(message: Heard): void {
    if (this.closed !== undefined || !this.#counts(message)) return;
    const { invocationId = "" } = message;
    switch (message.type) {
      case 1:
      case 4:
        return this.#call(message as Call);
      case 2:
        return this.#item(invocationId, message.item);
      case 3:
        return this.#uploaded(invocationId, message.error);
      case 5:
        return this.#cancel(invocationId);
      case 7:
        this.closed = { type: 7 };
    }
  }

  /** Answers a call with an id. */
  answer(id: string | undefined, answer: Omit<Answer, "invocationId">): void {
    if (id === undefined) return;
    const answers = this.answers.get(id) ?? [];
    answers.push({ ...answer, invocationId: id });
    this.answers.set(id, answers);
  }

  /** A call whose answer comes when its upload has ended. */
  collects(call: Call): void {
    const [id = ""] = call.streamIds ?? [];
    this.#uploads.set(id, { call, items: [] });
  }

  /** A stream that gives nothing until it is cancelled. */
  staysOpen(call: Call): void {
    this.#forever.set(call.invocationId ?? "", call);
  }

  #counts({ type, sequenceId = 0 }: Heard): boolean {
    if (!this.#stateful || type === 6 || type === 7) return true;
    if (type === 8) return false;
    if (type === 9) {
      if (sequenceId <= this.#latest + 1) this.#next = sequenceId;
      else this.breaks(new Offence("Sequence ID greater than amount of messages we've received."));
      return false;
    }
    const current = this.#next++;
    if (current <= this.#latest) return false;
    this.#latest = current;
    return true;
  }

  #call(message: Call): void {
    const method = METHODS.get(message.target.toLowerCase());
    const refusal = refusalOf(method, message) ?? this.#duplicate(message);
    if (refusal !== undefined) this.answer(message.invocationId, { type: 3, error: refusal });
    else method?.call(this, message);
  }

  #duplicate({ type, invocationId = "", target, streamIds = [] }: Call): string | undefined {
    if (type === 4 && this.#forever.has(invocationId)) {
      return `Invocation ID '${invocationId}' is already in use.`;
    }
    const twice = streamIds.find((id) => this.#uploads.has(id));
    if (twice === undefined) return undefined;
    return threw(target, `Stream ID '${twice}' is already in use.`);
  }

  #item(id: string, item: unknown): void {
    if (item === UNREADABLE) this.#uploaded(id, "Failed to bind Stream message.");
    else this.#uploads.get(id)?.items.push(item);
  }

  #uploaded(id: string, error: string | undefined): void {
    const upload = this.#uploads.get(id);
    if (upload === undefined) return;
    this.#uploads.delete(id);
    const { call: { type, target, invocationId }, items } = upload;
    if (error !== undefined) {
      this.answer(invocationId, { type: 3, error: threw(target, error) });
    } else if (type === 4) this.answer(invocationId, { type: 3, error: notStreaming(target) });
    else this.answer(invocationId, { type: 3, result: described(items) });
  }

  #cancel(id: string): void {
    if (this.#forever.delete(id)) this.answer(id, { type: 3 });
  }
}

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["inspect", {
    parameters: [1, 1],
    streams: false,
    call(hub, { type, target, invocationId, arguments: [value], streamIds = [] }) {
      // A stream has no members to be seen.
      const result = streamIds.length > 0 ? "{}" : described(value);
      if (type === 1) hub.answer(invocationId, { type: 3, result });
      else hub.answer(invocationId, { type: 3, error: notStreaming(target) });
    },
  }],
  ["count", {
    parameters: [1, 1],
    streams: true,
    call(hub, { invocationId, arguments: [count] }) {
      if (typeof count !== "number" || !(count >= 0 && count <= 20)) {
        const text = "An error occurred on the server while streaming results.";
        return hub.answer(invocationId, { type: 3, error: `${text} HubException: No count` });
      }
      for (let item = 0; item < count; item++) hub.answer(invocationId, { type: 2, item });
      hub.answer(invocationId, { type: 3 });
    },
  }],
  ["forever", {
    parameters: [0, 0],
    streams: true,
    call: (hub, message) => hub.staysOpen(message),
  }],
  ["collect", {
    parameters: [1, 1],
    streams: false,
    call(hub, message) {
      if (message.streamIds?.length) return hub.collects(message);
      hub.answer(message.invocationId, { type: 3, error: threw(message.target, "No stream") });
    },
  }],
]);

function refusalOf(method: Method | undefined, message: Call): string | undefined {
  const { type, target, bindingError, arguments: { length }, streamIds = [] } = message;
  const failed = `Failed to invoke '${target}' due to an error on the server.`;
  if (method === undefined) return `${failed} HubException: Method does not exist.`;
  if (bindingError !== undefined) return `${failed} InvalidDataException: ${bindingError}`;
  const [least, most] = method.parameters;
  if (length > most || streamIds.length === 0 && length < least) {
    return `${failed} InvalidDataException: Invocation provides ${length} argument(s) but target ` +
      `expects ${least}.`;
  }
  if (method.streams && type === 1) {
    return `The client attempted to invoke the streaming '${target}' method with a ` +
      "non-streaming invocation.";
  }
  if (length + streamIds.length >= least && length + streamIds.length <= most) return undefined;
  const text = `Client sent ${streamIds.length} stream(s), Hub method expects ${least - length}.`;
  return threw(target, text);
}

function threw(target: string, text: string): string {
  return `An unexpected error occurred invoking '${target}' on the server. HubException: ${text}`;
}

function notStreaming(target: string): string {
  return `The client attempted to invoke the non-streaming '${target}' method with a streaming ` +
    "invocation.";
}
