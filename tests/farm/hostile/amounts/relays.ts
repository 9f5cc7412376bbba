/**
 * What a client can do with requests for connections that are not on the node that gets them.
 *
 * @module
 */
import { requestBytes } from "../../../kit/http.ts";
import type { Amount } from "./amount.ts";
import type { Attacker } from "./attacker.ts";
import { NOTIFICATION, passing, pipelining, takingOver } from "./requests.ts";

/** A request for a connection by long polling on the other node. */
function elsewhere(method: string, body?: string) {
  return async (attacker: Attacker) =>
    requestBytes({ method, path: await attacker.polling(attacker.far), body });
}

/** A request for a connection that was on the other node and has ended. */
async function nowhere(attacker: Attacker): Promise<Uint8Array> {
  const path = await attacker.polling(attacker.far);
  const socket = await attacker.open(true, attacker.far);
  await socket.write(requestBytes({ method: "DELETE", path }));
  await socket.heard();
  return requestBytes({ method: "POST", path, body: NOTIFICATION });
}

/** What a client can do with connections of another node. */
export const RELAY_AMOUNTS: readonly Amount[] = [
  {
    name: "polls of a connection of another node, each on a socket of its own",
    act: passing(elsewhere("GET")),
  },
  { name: "posts to another node on one socket", act: pipelining(elsewhere("POST", NOTIFICATION)) },
  {
    name: "posts to another node on one socket whose answers stay unread",
    act: pipelining(elsewhere("POST", NOTIFICATION), false),
  },
  {
    name: "large posts to another node on one socket",
    act: pipelining(elsewhere("POST", NOTIFICATION.repeat(500))),
  },
  {
    name: "posts to another node that break off",
    act: passing(async (attacker) =>
      (await elsewhere("POST", NOTIFICATION)(attacker)).subarray(0, -10)
    ),
  },
  { name: "deletes of connections of another node", act: passing(elsewhere("DELETE")) },
  {
    name: "takeovers of a connection of another node",
    act: (attacker) => takingOver(attacker, true),
  },
  { name: "posts to a connection that is nowhere", act: pipelining(nowhere) },
  { name: "posts to connections that are nowhere", act: passing(nowhere, { listens: true }) },
];
