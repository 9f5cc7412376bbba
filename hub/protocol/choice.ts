import { type HandshakeRequest, MAXIMUM_PROTOCOL_VERSION } from "./handshake.ts";
import type { HubProtocol } from "./protocol.ts";

/** The client asked for a protocol that it cannot have; the text is for the client. */
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
   * The protocol for a handshake; names are compared without case.
   *
   * @throws {ProtocolRefusal} if there is none of that name, or its version is too new.
   */
  choose(request: HandshakeRequest): HubProtocol {
    const name = request.protocol.toLowerCase();
    const protocol = this.#protocols.find((protocol) => protocol.name === name);
    if (protocol === undefined) {
      throw new ProtocolRefusal(`The protocol '${request.protocol}' is not supported.`);
    }
    if (request.version <= MAXIMUM_PROTOCOL_VERSION) return protocol;
    throw new ProtocolRefusal(
      `The server does not support version ${request.version} of the '${protocol.name}' protocol.`,
    );
  }
}
