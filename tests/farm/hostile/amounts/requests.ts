/**
 * What a client can do with requests and sockets.
 *
 * @module
 */
import { repeated } from "../repeated.ts";
import { requestBytes } from "../../../kit/http.ts";
import { call } from "../../../kit/messages.ts";
import { frame, Opcode, upgradeRequest } from "../../../kit/socket.ts";
import { joined } from "../../../kit/wire_format.ts";
import { type Amount, endless } from "./amount.ts";
import type { Action, Attacker } from "./attacker.ts";

const NEGOTIATE = requestBytes({
  method: "POST",
  path: "/hub/negotiate?negotiateVersion=1",
  body: "",
});
const HEALTH = requestBytes({ method: "GET", path: "/readyz" });
const HANDSHAKE = frame(Opcode.Text, '{"protocol":"json","version":1}\x1e');
/** A call without an answer. */
export const NOTIFICATION: string = `${JSON.stringify(call(undefined, "echo", 1))}\x1e`;

/** Requests without number on one socket; `request` makes them once the client has connected. */
export function pipelining(
  request: (attacker: Attacker) => Promise<Uint8Array> | Uint8Array,
  reads = true,
): Action {
  return (attacker) =>
    attacker.again(async () => {
      const bytes = await request(attacker);
      const socket = await attacker.open(reads);
      await attacker.flood(socket, endless(repeated(bytes, 40_000)));
      await attacker.remain(socket);
      await socket.leave(attacker.way, false);
    });
}

/** A socket that says something and leaves, again and again. */
export function passing(
  bytes: (attacker: Attacker) => Promise<Uint8Array> | Uint8Array,
  { webSocket = false, listens = false }: { webSocket?: boolean; listens?: boolean } = {},
): Action {
  return (attacker) =>
    attacker.again(async () => {
      const first = await bytes(attacker);
      const socket = await attacker.open();
      await socket.write(first);
      attacker.taken += first.length;
      if (listens) await socket.heard();
      await socket.leave(attacker.way, webSocket);
    });
}

/** A request for a new connection that was negotiated. */
function ofNew(method: string, headers: Readonly<Record<string, string>> = {}) {
  return async (attacker: Attacker) => {
    const { connectionToken } = await attacker.negotiate();
    return requestBytes({ method, path: `/hub?id=${connectionToken}`, headers });
  };
}

/** Posts a call on a connection by long polling. */
function posting(query = "", body: string = NOTIFICATION) {
  return async (attacker: Attacker) =>
    requestBytes({ method: "POST", path: `${await attacker.polling()}${query}`, body });
}

/** `node:http` reads a packet of a thousand requests to its end, also when its socket was destroyed. */
const PACKED = { crowdAnswer: 3000 };

const REQUESTS: readonly Amount[] = [
  { name: "negotiates on one socket", limits: PACKED, act: pipelining(() => NEGOTIATE) },
  {
    name: "negotiates on one socket whose answers stay unread",
    limits: PACKED,
    act: pipelining(() => NEGOTIATE, false),
  },
  { name: "negotiates on sockets of their own", act: passing(() => NEGOTIATE, { listens: true }) },
  { name: "posts on one socket", act: pipelining(posting()) },
  {
    name: "posts on one socket whose answers stay unread",
    act: pipelining(posting(), false),
  },
  {
    name: "posts on one socket while authentication takes its time",
    act: pipelining(posting("&slow=1")),
  },
  {
    name: "large posts on one socket",
    act: pipelining(posting("", NOTIFICATION.repeat(500))),
  },
  {
    name: "polls of one connection, each on a socket of its own",
    act: async (attacker) => {
      const poll = requestBytes({ method: "GET", path: await attacker.polling() });
      await passing(() => poll)(attacker);
    },
  },
  {
    name: "requests with tokens that nobody has",
    act: pipelining(() =>
      requestBytes({ method: "POST", path: "/hub?id=nobody", body: NOTIFICATION })
    ),
  },
  {
    name: "requests with forged tokens",
    act: pipelining(async (attacker) => {
      const { connectionToken } = await attacker.negotiate();
      const forged = connectionToken.slice(0, -4) + "AAAA";
      return requestBytes({ method: "POST", path: `/hub?id=${forged}`, body: NOTIFICATION });
    }),
  },
  {
    name: "questions for the health on one socket",
    limits: PACKED,
    act: pipelining(() => HEALTH),
  },
  {
    name: "questions for the health on one socket whose answers stay unread",
    limits: PACKED,
    act: pipelining(() => HEALTH, false),
  },
  { name: "polls that are aborted", act: passing(ofNew("GET")) },
  {
    name: "event streams that come and go",
    act: passing(ofNew("GET", { accept: "text/event-stream" }), { listens: true }),
  },
  {
    name: "requests that break off",
    act: passing(() => NEGOTIATE.subarray(0, 40)),
  },
  {
    name: "bodies that break off",
    act: passing(async (attacker) => {
      const { connectionToken } = await attacker.negotiate();
      const path = `/hub?id=${connectionToken}`;
      return requestBytes({ method: "POST", path, body: NOTIFICATION }).subarray(0, -10);
    }),
  },
];

const SOCKETS: readonly Amount[] = [
  { name: "sockets that come and go", act: passing(() => new Uint8Array()) },
  {
    name: "sockets that are closed halfway",
    act: (attacker) =>
      attacker.again(async () => {
        const socket = await attacker.open();
        await socket.write(joined(upgradeRequest("/hub"), HANDSHAKE));
        await socket.leave("FIN");
      }),
  },
  {
    name: "WebSockets that come and go",
    act: passing(() => joined(upgradeRequest("/hub"), HANDSHAKE), {
      webSocket: true,
      listens: true,
    }),
  },
  {
    name: "WebSockets that come and go and do not wait",
    act: passing(() => joined(upgradeRequest("/hub"), HANDSHAKE), { webSocket: true }),
  },
  {
    name: "WebSockets that shake no hands",
    act: passing(() => upgradeRequest("/hub"), { webSocket: true, listens: true }),
  },
  {
    name: "handshakes that fail",
    act: passing(() => joined(upgradeRequest("/hub"), frame(Opcode.Text, '{"protocol":"x"}\x1e')), {
      webSocket: true,
      listens: true,
    }),
  },
  { name: "takeovers of one connection", act: (attacker) => takingOver(attacker) },
];

/** Takes its own connection over with one socket after the other. */
export async function takingOver(attacker: Attacker, elsewhere = false): Promise<void> {
  await attacker.again(async () => {
    const home = elsewhere ? attacker.far : attacker.port;
    const { connectionToken: token } = await attacker.negotiate("&useStatefulReconnect=true", home);
    const first = await attacker.webSocket({ token, stateful: true, port: home });
    await first.heard();
    for (let sockets = 0; sockets < 200 && !attacker.signal.aborted; sockets++) {
      const socket = await attacker.webSocket({ token, stateful: true });
      await socket.heard();
      if (attacker.signal.aborted) await socket.leave(attacker.way);
    }
  });
}

/** What a client can do with requests and sockets. */
export const REQUEST_AMOUNTS: readonly Amount[] = [...REQUESTS, ...SOCKETS];
