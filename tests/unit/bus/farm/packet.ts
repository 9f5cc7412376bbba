import type { HubMessage, HubSign } from "../../../../hub/bus/node_messages.ts";

/** A message of a hub. Its payload is its id. */
export interface Data {
  readonly kind: "data";
  readonly node: string;
  readonly number: number;
  readonly back: number;
  readonly id: number;
}

/** A sign of life. */
export interface SignPacket {
  readonly kind: "sign";
  readonly node: string;
  readonly id: number;
  readonly sign: HubSign;
}

/** What goes over the simulated bus; `node` is the sender. */
export type Packet = Data | SignPacket | HubMessage;
