import { type HandshakeRequest, MAXIMUM_PROTOCOL_VERSION } from "./handshake.ts";
import { jsonProtocol } from "./json/json.ts";
import { messagepackProtocol } from "./messagepack/messagepack.ts";
import type { HubProtocol } from "./protocol.ts";

const PROTOCOLS: readonly HubProtocol[] = [jsonProtocol, messagepackProtocol];

/** The protocol of that name. */
export function findProtocol(name: string): HubProtocol | undefined {
  return PROTOCOLS.find((protocol) => protocol.name === name);
}

/**
 * The protocol for a handshake, or the reason for a refusal in words for the client. Names are compared
 * without case. `textOnly` is whether the transport cannot carry bytes.
 */
export function chooseProtocol(
  { protocol: wanted, version }: HandshakeRequest,
  textOnly = false,
): HubProtocol | string {
  const protocol = findProtocol(wanted.toLowerCase());
  if (protocol === undefined) return `The protocol '${wanted}' is not supported.`;
  const { name, format } = protocol;
  if (textOnly && format === "binary") {
    return `Cannot use the '${name}' protocol on the current transport. ` +
      "The transport does not support 'Binary' transfer format.";
  }
  if (version <= MAXIMUM_PROTOCOL_VERSION) return protocol;
  return `The server does not support version ${version} of the '${name}' protocol.`;
}
