import type { Frame, HubProtocol } from "../../../hub/protocol/protocol.ts";

/** What a record says: the parsed message without the record itself, which completions keep. */
export function contentOf(protocol: HubProtocol, record: Frame): unknown {
  const message = protocol.parse(record);
  if (message === undefined || !("record" in message)) return message;
  const { record: _, ...content } = message;
  return content;
}
