/**
 * The chat in the browser: the connection to the node, and the rooms that it has to be in. What is
 * seen is in `view.js`.
 */
import * as view from "./view.js";

const { HubConnectionBuilder, HubConnectionState, LogLevel } = globalThis.signalR;

/** The longest pause between two attempts to connect, in milliseconds. */
const LONGEST_PAUSE = 5000;

/** How the client hands on what the hub said. */
const REFUSAL = /HubException: (.*)$/s;

/** The rooms the person wants to be in; those that the node has let us into are `true`. */
const rooms = new Map(recall("rooms", ["lobby"]).map((room) => [room, false]));

/** `/?name=Ann` opens the page in that name. */
const asked = new URLSearchParams(location.search).get("name")?.trim().slice(0, 40);
let name = asked || recall("name", inventName());
let connection;

view.start({ rename, join, leave, say, reconnect: () => connect() });
view.showName(name);
for (const room of rooms.keys()) view.addRoom(room);
connect();

/** Starts a connection in the name of the person; one that was there before ends. */
async function connect() {
  const before = connection;
  const mine = connection = new HubConnectionBuilder()
    .withUrl(`/chat?name=${encodeURIComponent(name)}`)
    .withAutomaticReconnect({ nextRetryDelayInMilliseconds: pauseBefore })
    .configureLogging(LogLevel.None)
    .build();
  listen(mine);
  view.showState("connecting");
  await before?.stop();
  for (let attempt = 0; mine === connection; attempt++) {
    if (await mine.start().then(() => true, () => false)) return enter(mine);
    await pause(pauseBefore({ previousRetryCount: attempt }));
  }
}

function listen(mine) {
  const current = (handler) => (...args) => {
    if (mine === connection) handler(...args);
  };
  mine.on("message", (room, from, text, node) => view.addMessage(room, { from, text, node }));
  mine.on("joined", (room, who, node) => view.addPresence(room, who, node, "joined"));
  mine.on("left", (room, who, node) => view.addPresence(room, who, node, "left"));
  mine.onreconnecting(current(() => {
    view.showState("reconnecting");
    view.addNoticeEverywhere("The connection is lost: what is said now does not arrive here.");
  }));
  mine.onreconnected(current(() => {
    view.addNoticeEverywhere("Connected again.");
    return enter(mine);
  }));
  mine.onclose(current(() => view.showState("disconnected")));
}

/** A new connection is in no room, and perhaps on another node than the one before. */
async function enter(mine) {
  if (mine !== connection) return mine.stop();
  view.showState("connected");
  for (const room of rooms.keys()) rooms.set(room, false);
  try {
    view.showNode(await mine.invoke("node"));
  } catch {
    // The connection is lost again: what follows is shown by its events.
  }
  await Promise.all(Array.from(rooms.keys(), (room) => enterRoom(mine, room)));
}

/** Tries until the node lets us in: without the bus it cannot hear what is said on others. */
async function enterRoom(mine, room) {
  const wanted = () => mine === connection && rooms.get(room) === false;
  while (wanted() && mine.state === HubConnectionState.Connected) {
    try {
      await mine.invoke("join", room);
      if (wanted()) rooms.set(room, true);
      return view.showProblem(room, "");
    } catch (error) {
      view.showProblem(room, `Not in this room yet: ${reasonOf(error)}. Trying again.`);
      await pause(1000);
    }
  }
}

function rename(wanted) {
  if (wanted === name) return;
  name = wanted;
  view.showName(name);
  sessionStorage.setItem("name", JSON.stringify(name));
  connect();
}

function join(room) {
  if (!rooms.has(room)) {
    rooms.set(room, false);
    rememberRooms();
    view.addRoom(room);
    enterRoom(connection, room);
  }
  view.openRoom(room);
}

async function leave(room) {
  rooms.delete(room);
  rememberRooms();
  view.removeRoom(room);
  try {
    await connection.invoke("leave", room);
  } catch {
    // Without a connection there is nothing to leave.
  }
}

/** Resolves with whether the node took the message. */
async function say(room, text) {
  try {
    const { reachedOthers } = await connection.invoke("say", room, text);
    view.showProblem(room, "");
    if (!reachedOthers) view.markUncertain(room, { from: name, text });
    return true;
  } catch (error) {
    // What a lost connection has not answered may have been said all the same.
    const not = isRefusal(error) ? "Not sent" : "Perhaps not sent";
    view.showProblem(room, `${not}: ${reasonOf(error)}`);
    return false;
  }
}

function isRefusal(error) {
  return REFUSAL.test(error.message);
}

/** What the hub said, without what the client says around it. */
function reasonOf(error) {
  return REFUSAL.exec(error.message)?.[1] ?? "the connection to the node is lost";
}

/** Grows from half a second, for ever; spread, so that not all come at once after a restart. */
function pauseBefore({ previousRetryCount }) {
  const longest = Math.min(500 * 2 ** previousRetryCount, LONGEST_PAUSE);
  return longest * (0.5 + Math.random() / 2);
}

function pause(duration) {
  return new Promise((resolve) => setTimeout(resolve, duration));
}

function rememberRooms() {
  sessionStorage.setItem("rooms", JSON.stringify([...rooms.keys()]));
}

/** Each window has its own name and rooms, which survive a reload. */
function recall(key, otherwise) {
  return JSON.parse(sessionStorage.getItem(key)) ?? otherwise;
}

function inventName() {
  const first = [
    "Amber",
    "Brisk",
    "Clever",
    "Dapper",
    "Eager",
    "Gentle",
    "Lucky",
    "Quiet",
    "Sunny",
  ];
  const second = ["Badger", "Crane", "Finch", "Heron", "Lynx", "Otter", "Panda", "Robin", "Seal"];
  const pick = (words) => words[Math.floor(Math.random() * words.length)];
  return `${pick(first)} ${pick(second)}`;
}
