import type { IndexAnswer, MessagesAnswer, NodeMessage } from "./node_messages.ts";

/**
 * A smaller message that says a part of the same, for a bus that refuses the whole as too large; `undefined`
 * if there is none. An answer is whole up to a lower number then, and the node that asked asks for the rest.
 * A single message that is too large, with what an answer adds to its bytes, is one that is kept no longer.
 */
export function smallerMessage(message: NodeMessage): NodeMessage | undefined {
  switch (message.kind) {
    case "index":
      return smallerIndex(message);
    case "messages":
      return smallerAnswer(message);
    default:
      return undefined;
  }
}

function smallerIndex(answer: IndexAnswer): IndexAnswer | undefined {
  const channels = firstHalf(answer.channels);
  const [, upTo] = channels.at(-1) ?? [];
  return upTo === undefined ? undefined : { ...answer, channels, upTo };
}

function smallerAnswer(answer: MessagesAnswer): MessagesAnswer | undefined {
  const messages = firstHalf(answer.messages);
  const last = messages.at(-1);
  if (last !== undefined) return { ...answer, messages, upTo: last.number };
  const [message] = answer.messages;
  if (message === undefined || message.payload == null) return undefined;
  return { ...answer, messages: [{ ...message, payload: null }] };
}

/** The first half of a list of two items or more; nothing of a shorter one. */
function firstHalf<T>(items: readonly T[]): readonly T[] {
  return items.slice(0, items.length >> 1);
}
