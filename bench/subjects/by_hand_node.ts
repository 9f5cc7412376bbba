/**
 * The hub that a careful person writes by hand for Deno:
 * `by_hand_node.ts --port=P [--bus=URL] [--coalescing]`. No limits, no acks, no keep-alive.
 *
 * - Members on this node are served at once; the node skips its own messages from the bus, by their origin.
 * - An index of rooms; one JSON text for each message, for all sockets and the bus.
 * - With `--coalescing`: SignalR's envelope, and one WebSocket message per socket and turn.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { type Bus, openBus } from "./by_hand_bus.ts";
import { announce, readNodeArguments } from "./node_arguments.ts";

interface Member {
  readonly id: string;
  readonly socket: WebSocket;
  readonly rooms: Set<string>;
  queue: string;
}

type Kind = "all" | "group" | "one" | "enlist";

const { port, bus: url, coalescing } = readNodeArguments();
const origin = crypto.randomUUID();
const members = new Map<string, Member>();
const rooms = new Map<string, Set<Member>>();
const bus: Bus | undefined = url === undefined ? undefined : await openBus(url, heard);

let waiting: Member[] = [];

function sendPlain(member: Member, text: string): void {
  if (member.socket.readyState === WebSocket.OPEN) member.socket.send(text);
}

function sendCoalesced(member: Member, text: string): void {
  if (member.queue === "" && waiting.push(member) === 1) setImmediate(flush);
  member.queue += text;
}

function flush(): void {
  const flushed = waiting;
  waiting = [];
  for (const member of flushed) {
    sendPlain(member, member.queue);
    member.queue = "";
  }
}

const send = coalescing ? sendCoalesced : sendPlain;
const close = coalescing ? "]}\x1e" : "]";
const open = coalescing ? '{"type":1,"target":"message","arguments":[' : '["message",';

/** Sends to the members on this node; returns whether no other node can have members. */
function deliver(kind: Kind, name: string, text: string): boolean {
  if (kind === "one" || kind === "enlist") {
    const member = members.get(name);
    if (member === undefined) return false;
    if (kind === "one") send(member, text);
    else join(member, text);
    return true;
  }
  const to = kind === "all" ? members.values() : rooms.get(name) ?? [];
  for (const member of to) send(member, text);
  return false;
}

function route(kind: Kind, name: string, text: string): void {
  const done = deliver(kind, name, text);
  if (!done) bus?.publish(`${origin}\n${kind}\n${name}\n${text}`);
}

function heard(message: string): void {
  if (message.startsWith(origin)) return;
  const kindAt = origin.length + 1;
  const nameAt = message.indexOf("\n", kindAt) + 1;
  const textAt = message.indexOf("\n", nameAt) + 1;
  const kind = message.slice(kindAt, nameAt - 1) as Kind;
  deliver(kind, message.slice(nameAt, textAt - 1), message.slice(textAt));
}

function leave(member: Member, room: string): void {
  member.rooms.delete(room);
  const all = rooms.get(room);
  all?.delete(member);
  if (all?.size === 0) rooms.delete(room);
}

function join(member: Member, room: string): void {
  member.rooms.add(room);
  const all = rooms.get(room);
  if (all === undefined) rooms.set(room, new Set([member]));
  else all.add(member);
}

type CallText = readonly [method: string, payload: string, name?: string, group?: string];

function received(member: Member, [method, payload, name = "", group = ""]: CallText): void {
  switch (method) {
    case "all":
    case "group":
    case "one":
      return route(method, name, open + JSON.stringify(payload) + close);
    case "enlist":
      route(method, name, group);
      break;
    case "join":
      join(member, name);
      break;
    case "leave":
      leave(member, name);
  }
  const result = JSON.stringify(payload);
  send(member, coalescing ? `{"type":3,"result":${result}}\x1e` : `["answer",${result}]`);
}

function accept(request: Request): Response {
  if (request.headers.get("upgrade") !== "websocket") return new Response(null, { status: 404 });
  const { socket, response } = Deno.upgradeWebSocket(request);
  const member: Member = { id: crypto.randomUUID(), socket, rooms: new Set(), queue: "" };
  socket.onopen = () => {
    members.set(member.id, member);
    socket.send(JSON.stringify({ id: member.id }));
  };
  socket.onmessage = ({ data }) => received(member, JSON.parse(data));
  socket.onclose = () => {
    members.delete(member.id);
    for (const room of member.rooms) leave(member, room);
  };
  return response;
}

announce(Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, accept).addr.port);
