import type { HubProtocol } from "../../../hub/protocol/protocol.ts";
import type { TextOrBytes } from "../../../hub/protocol/frame.ts";

/** What a record says: the parsed message without the record itself, which completions keep. */
export function contentOf(protocol: HubProtocol, record: TextOrBytes): unknown {
  const message = protocol.parse(record);
  if (message === undefined || !("record" in message)) return message;
  const { record: _, ...content } = message;
  return content;
}
