import type { Amount } from "./amount.ts";
import { CALL_AMOUNTS } from "./calls.ts";
import { PUBLISH_AMOUNTS } from "./publishes.ts";
import { RELAY_AMOUNTS } from "./relays.ts";
import { REQUEST_AMOUNTS } from "./requests.ts";
import { TARGET_AMOUNTS } from "./targets.ts";

/** Everything that a client can do too much of. */
export const CLIENT_AMOUNTS: readonly Amount[] = [
  ...CALL_AMOUNTS,
  ...TARGET_AMOUNTS,
  ...REQUEST_AMOUNTS,
  ...RELAY_AMOUNTS,
];

export { PUBLISH_AMOUNTS };
