/**
 * Writes and reads the items of `move_messages.ts` behind the name of the hub.
 *
 * @module
 */
import { PackError, type PackReader } from "../protocol/pack/reader.ts";
import type { PackWriter } from "../protocol/pack/writer.ts";
import { MAXIMUM_PART_BYTES, MAXIMUM_PARTS, type MoveMessage } from "./move_messages.ts";

/** Writes the items of a message. */
export function writeMoveMessage(writer: PackWriter, message: MoveMessage): void {
  switch (message.kind) {
    case "askMove":
      writer.string(message.connectionId);
      return writer.value(message.userId);
    case "moveState":
      writer.string(message.connectionId);
      writer.value(message.parked);
      writer.integer(message.part);
      writer.integer(message.parts);
      return writer.binary(message.bytes);
    case "moveReceipt":
      return writer.value(message.parked);
    case "moveRefusal":
      return;
  }
}

/**
 * Reads the items of a message. Bytes are views of the payload.
 *
 * @throws {PackError} if the message is malformed.
 */
export function readMoveMessage(
  reader: PackReader,
  kind: MoveMessage["kind"],
  about: { readonly id: number; readonly node: string; readonly hub: string },
): MoveMessage {
  switch (kind) {
    case "askMove":
      return { kind, ...about, connectionId: reader.string(), userId: reader.optionalString() };
    case "moveState": {
      const connectionId = reader.string();
      const parked = reader.boolean();
      const [part, parts, bytes] = [reader.integer(), reader.integer(), reader.binary()];
      if (part < 0 || part >= parts || parts > MAXIMUM_PARTS || bytes.length > MAXIMUM_PART_BYTES) {
        throw new PackError("A part of the state of a connection is malformed.");
      }
      return { kind, ...about, connectionId, parked, part, parts, bytes };
    }
    case "moveReceipt":
      return { kind, ...about, parked: reader.boolean() };
    case "moveRefusal":
      return { kind, ...about };
  }
}
