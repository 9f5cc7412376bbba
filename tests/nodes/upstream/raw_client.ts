import { assertEquals } from "@std/assert";
import { bounded } from "../../kit/wait.ts";
import { closeStatus, type Frame, Opcode, RawSocket } from "../../kit/socket.ts";
import { frameRecords, packedBytes, typeOf, type WireRecord } from "../wire/records.ts";

/** A client on a WebSocket that reads record by record and hides nothing but pings. */
export class RawClient implements Disposable {
  readonly socket: RawSocket;
  readonly #records: WireRecord[] = [];

  private constructor(socket: RawSocket) {
    this.socket = socket;
  }

  /** One that has shaken hands. */
  static async connect(port: number, path = "/hub", protocol = "json"): Promise<RawClient> {
    return new RawClient(await RawSocket.connect(port, path, protocol));
  }

  /** One that has shaken hands in version 2, and may lose its socket. */
  static async connectStateful(port: number, token: string): Promise<RawClient> {
    return new RawClient(await RawSocket.connect(port, `/hub?id=${token}`, "json", 2));
  }

  /** One whose socket is open, and that has said nothing. */
  static async open(port: number, path: string): Promise<RawClient> {
    return new RawClient(await RawSocket.open(port, path));
  }

  /** Sends records of the JSON protocol in one frame. */
  async send(...records: readonly unknown[]): Promise<void> {
    await this.socket.sendText(records.map((record) => `${JSON.stringify(record)}\x1e`).join(""));
  }

  /** Sends a record of the MessagePack protocol. */
  async sendPacked(record: readonly unknown[]): Promise<void> {
    await this.socket.send(Opcode.Binary, packedBytes(record));
  }

  /** The next record that is no ping. */
  async next(): Promise<WireRecord> {
    for (;;) {
      const record = this.#records.shift();
      if (record === undefined) this.#records.push(...frameRecords(await this.#frame()));
      else if (typeOf(record) !== 6) return record;
    }
  }

  /** The close frame; fails if anything but pings comes before it. */
  async closed(): Promise<{ code: number; reason: string }> {
    for (;;) {
      const frame = await this.#frame();
      if (frame.opcode === Opcode.Close) {
        assertEquals(this.#records, []);
        return closeStatus(frame);
      }
      assertEquals(frameRecords(frame).filter((record) => typeOf(record) !== 6), []);
    }
  }

  [Symbol.dispose](): void {
    this.socket[Symbol.dispose]();
  }

  async #frame(): Promise<Frame> {
    return await bounded(this.socket.receive());
  }
}
