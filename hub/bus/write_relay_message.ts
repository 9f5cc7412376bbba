import type { PackWriter } from "../protocol/pack/writer.ts";
import { type RelayMessage, VERBS } from "./relay_messages.ts";

/** Writes the items of a message behind the name of its node; `read_relay_message.ts` reads them. */
export function writeRelayMessage(writer: PackWriter, message: RelayMessage): void {
  switch (message.kind) {
    case "seek":
      return writer.string(message.connectionId);
    case "sought":
      // No node has an empty name.
      return writer.string(message.home ?? "");
    case "relayed":
      writer.string(message.connectionId);
      writer.integer(VERBS.indexOf(message.verb));
      writer.value(message.watched);
      writer.value(message.userId);
      writeOptional(writer, message.expires);
      writeOptional(writer, message.length);
      writer.value(message.last);
      return writer.binary(message.bytes);
    case "relayedBody":
    case "relayedAnswer":
      writer.integer(message.number);
      writer.value(message.last);
      writer.binary(message.bytes);
      if (message.kind === "relayedBody") return;
      // No answer has the status 0.
      writer.integer(message.head?.status ?? 0);
      writer.string(message.head?.type ?? "");
      return writeOptional(writer, message.head?.length);
    case "relayReceipt":
      writer.value(message.toHome);
      writer.integer(message.received);
      return writer.integer(message.allowed);
    case "relayEnd":
      return writer.value(message.toHome);
  }
}

function writeOptional(writer: PackWriter, value: number | undefined): void {
  if (value === undefined) writer.nil();
  else writer.integer(value);
}
