import { type HandshakeRequest, MAXIMUM_PROTOCOL_VERSION } from "./handshake.ts";
import type { HubProtocol } from "./protocol.ts";

/** The client cannot have the protocol that it asked for; the text is for the client. */
export class ProtocolRefusal extends Error {
  /** Makes the error. */
  constructor(message: string) {
    super(message);
    this.name = "ProtocolRefusal";
  }
}

/** The protocols that a hub speaks. */
export class ProtocolChoice {
  readonly #protocols: readonly HubProtocol[];

  constructor(protocols: readonly HubProtocol[]) {
    this.#protocols = protocols;
  }

  /**
   * The protocol for a handshake; names are compared without case. `textOnly` is whether the
   * transport cannot carry bytes.
   *
   * @throws {ProtocolRefusal} if no protocol has that name, or its version is too new.
   */
  choose(request: HandshakeRequest, textOnly = false): HubProtocol {
    const name = request.protocol.toLowerCase();
    const protocol = this.#protocols.find((protocol) => protocol.name === name);
    if (protocol === undefined) {
      throw new ProtocolRefusal(`The protocol '${request.protocol}' is not supported.`);
    }
    if (textOnly && protocol.format === "binary") {
      throw new ProtocolRefusal(
        `Cannot use the '${protocol.name}' protocol on the current transport. ` +
          "The transport does not support 'Binary' transfer format.",
      );
    }
    if (request.version <= MAXIMUM_PROTOCOL_VERSION) return protocol;
    throw new ProtocolRefusal(
      `The server does not support version ${request.version} of the '${protocol.name}' protocol.`,
    );
  }
}
