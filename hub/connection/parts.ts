import type { Clock } from "../clock.ts";
import type { ProtocolChoice } from "../protocol/choice.ts";
import type { ConnectionLimits, ConnectionListener } from "./closing.ts";
import type { HubConnection } from "./connection.ts";

/** What a {@link HubConnection} is made of. */
export interface ConnectionParts {
  readonly limits: ConnectionLimits;
  readonly clock: Clock;
  readonly protocols: ProtocolChoice;
  readonly listener: ConnectionListener<HubConnection>;
  /** Whether the client has negotiated that it may come back on another pipe. */
  readonly stateful?: boolean;
}
