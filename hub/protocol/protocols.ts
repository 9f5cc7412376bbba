import { jsonProtocol } from "./json/json.ts";
import { messagepackProtocol } from "./messagepack/messagepack.ts";
import type { HubProtocol } from "./protocol.ts";

/** The protocols that a hub speaks. */
export const PROTOCOLS: readonly HubProtocol[] = [jsonProtocol, messagepackProtocol];

/** The protocol of that name. */
export function findProtocol(name: string): HubProtocol | undefined {
  return PROTOCOLS.find((protocol) => protocol.name === name);
}
