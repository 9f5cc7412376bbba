import { PackError, type PackReader } from "../protocol/pack/reader.ts";
import {
  type AnswerHead,
  MAXIMUM_PIECE_BYTES,
  type RelayMessage,
  VERBS,
} from "./relay_messages.ts";

/**
 * Reads the items of a message behind the name of its node. Bytes are views of the payload.
 *
 * @throws {PackError} if the message is malformed.
 */
export function readRelayMessage(
  reader: PackReader,
  kind: RelayMessage["kind"],
  id: number,
  node: string,
): RelayMessage {
  switch (kind) {
    case "seek":
      return { kind, id, node, connectionId: reader.string() };
    case "sought":
      return { kind, id, node, home: reader.string() || undefined };
    case "relayed":
      return {
        ...{ kind, id, node, connectionId: reader.string(), verb: readVerb(reader) },
        watched: reader.boolean(),
        userId: reader.optionalString(),
        expires: readOptional(reader),
        length: readOptional(reader),
        last: reader.boolean(),
        bytes: readPiece(reader),
      };
    case "relayedBody":
      return { kind, id, node, ...readNumbered(reader) };
    case "relayedAnswer":
      return { kind, id, node, ...readNumbered(reader), head: readHead(reader) };
    case "relayReceipt": {
      const toHome = reader.boolean();
      return { kind, id, node, toHome, received: readCount(reader), allowed: readCount(reader) };
    }
    case "relayEnd":
      return { kind, id, node, toHome: reader.boolean() };
  }
}

function readNumbered(reader: PackReader) {
  return { number: readCount(reader), last: reader.boolean(), bytes: readPiece(reader) };
}

function readPiece(reader: PackReader): Uint8Array {
  const bytes = reader.binary();
  if (bytes.length <= MAXIMUM_PIECE_BYTES) return bytes;
  throw new PackError("A piece of a relayed body is too long.");
}

function readVerb(reader: PackReader): (typeof VERBS)[number] {
  const verb = VERBS[readCount(reader)];
  if (verb !== undefined) return verb;
  throw new PackError("A relayed request is of an unknown kind.");
}

function readHead(reader: PackReader): AnswerHead | undefined {
  const head = { status: readCount(reader), type: reader.string(), length: readOptional(reader) };
  if (head.status === 0) return undefined;
  // A `Response` takes no other status.
  if (head.status >= 200 && head.status <= 599) return head;
  throw new PackError("The answer to a relayed request has no valid status.");
}

function readCount(reader: PackReader): number {
  const value = reader.integer();
  if (value >= 0) return value;
  throw new PackError("A number in a message about a relayed request is negative.");
}

function readOptional(reader: PackReader): number | undefined {
  if (!reader.isNil()) return readCount(reader);
  reader.optionalString();
  return undefined;
}
