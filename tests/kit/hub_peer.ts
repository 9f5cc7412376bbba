import { frame, Opcode, RawSocket } from "./socket.ts";
import { type Answer, joined, type ProtocolName, readAnswers } from "./wire_format.ts";

/** How a connection of a {@link HubPeer} is opened. */
export interface PeerOptions {
  /** Negotiates stateful reconnect, which makes the server count messages. */
  readonly stateful?: boolean;
  /** Comes behind the path, as `?user=ann`. */
  readonly query?: string;
  /** What is sent as one message behind the handshake, without waiting for anything. */
  readonly first?: Uint8Array;
}

/** How a connection ended: with a Close message if there was one, and a close frame if there was one. */
export interface End {
  readonly close: Answer | undefined;
  /** The code of the close frame; `undefined` if the connection just broke. */
  readonly code: number | undefined;
}

/** A client that sends whatever it likes over a real WebSocket, and reads what a hub answers. */
export class HubPeer implements Disposable {
  readonly protocol: ProtocolName;
  readonly socket: RawSocket;
  #end: End | undefined;
  #close: Answer | undefined;
  #answers: Answer[] = [];

  private constructor(protocol: ProtocolName, socket: RawSocket) {
    this.protocol = protocol;
    this.socket = socket;
  }

  /** Opens a WebSocket and shakes hands. */
  static async open(
    port: number,
    protocol: ProtocolName,
    { stateful = false, query = "", first }: PeerOptions = {},
  ): Promise<HubPeer> {
    const path = `/hub${stateful ? `?id=${await negotiateStateful(port)}` : query}`;
    const version = stateful ? 2 : 1;
    const handshake = frame(Opcode.Text, `${JSON.stringify({ protocol, version })}\x1e`);
    const behind = first === undefined ? handshake : joined(handshake, frame(Opcode.Binary, first));
    const socket = await RawSocket.open(port, path, behind);
    const peer = new HubPeer(protocol, socket);
    const answer = new TextDecoder().decode((await socket.next())?.payload);
    if (answer === "{}\x1e") return peer;
    throw new Error(`Cannot shake hands: ${answer}`);
  }

  /** Sends bytes as one message; JSON too, because bytes need not be text. */
  async send(bytes: Uint8Array): Promise<void> {
    await this.socket.send(Opcode.Binary, bytes);
  }

  /** The next answer that is no ping and no ack; `undefined` when the connection has ended. */
  async next(): Promise<Answer | undefined> {
    for (;;) {
      const answer = this.#answers.shift();
      if (answer !== undefined) {
        if (answer.type === 7) this.#close = answer;
        else if (answer.type !== 6 && answer.type !== 8) return answer;
        continue;
      }
      if (this.#end !== undefined) return undefined;
      await this.#read();
    }
  }

  /** Everything up to the end of the connection. */
  async rest(): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (let answer; (answer = await this.next()) !== undefined;) answers.push(answer);
    return answers;
  }

  /** How the connection ended. Only once {@link next} has given `undefined`. */
  get end(): End | undefined {
    return this.#end;
  }

  /** Says goodbye and waits until the server has answered that. */
  async leave(): Promise<void> {
    await this.socket.sendClose(1000);
    await this.rest();
    this[Symbol.dispose]();
  }

  /** Drops the connection. */
  [Symbol.dispose](): void {
    this.socket[Symbol.dispose]();
  }

  async #read(): Promise<void> {
    const frame = await this.socket.next();
    if (frame === undefined || frame.opcode === Opcode.Close) {
      const [high = 0, low = 0] = frame?.payload ?? [];
      this.#end = { close: this.#close, code: frame && high * 256 + low };
    } else if (frame.opcode <= Opcode.Binary) {
      this.#answers.push(...readAnswers(this.protocol, frame.payload));
    }
  }
}

/** The token of a connection whose client may lose its socket and come back. */
export async function negotiateStateful(port: number): Promise<string> {
  const url = `http://127.0.0.1:${port}/hub/negotiate?negotiateVersion=1&useStatefulReconnect=true`;
  const response = await fetch(url, { method: "POST" });
  const { connectionToken } = await response.json();
  return connectionToken;
}
