/**
 * What is seen of the chat. Everything that comes from others is set as text, never as markup.
 */

/** How many messages and notices of a room are kept. */
const MAXIMUM_ENTRIES = 500;

const STATES = {
  connecting: "Connecting",
  connected: "Connected",
  reconnecting: "Reconnecting",
  disconnected: "Disconnected",
};

/** What is seen of each room: its log, its item in the list, how much of it is unread. */
const rooms = new Map();

let open;
let ownNode;
let ownName;
let state = "connecting";

const byId = (id) => document.getElementById(id);

/** Tells `actions` what the person does. */
export function start({ rename, join, leave, say, reconnect }) {
  onSubmit("name-form", "name", rename);
  onSubmit("join-form", "room", (room) => {
    byId("room").value = "";
    join(room);
  });
  byId("reconnect").addEventListener("click", reconnect);
  byId("rooms").addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    const { room } = button?.closest("li")?.dataset ?? {};
    if (room === undefined) return;
    if (button.classList.contains("leave")) leave(room);
    else openRoom(room);
  });
  const text = byId("text");
  const send = () => submitMessage(text, say);
  byId("say-form").addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  text.addEventListener("keydown", (event) => {
    // Enter that ends the composition of a character is not meant to send.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  text.addEventListener("input", showComposer);
  // A message of several lines makes its field higher, and the log lower.
  new ResizeObserver(() => rooms.has(open) && showEnd(rooms.get(open))).observe(byId("logs"));
  const name = byId("name");
  name.addEventListener("input", () => byId("rename").hidden = name.value.trim() === ownName);
}

export function showName(name) {
  ownName = name;
  byId("name").value = name;
  byId("rename").hidden = true;
}

export function showNode(node) {
  ownNode = node;
  byId("node").textContent = `node ${node}`;
  document.documentElement.style.setProperty("--hue", hueOf(node));
  showTitle();
}

export function showState(now) {
  state = now;
  byId("state").textContent = STATES[now];
  byId("state").dataset.state = now;
  byId("reconnect").hidden = now !== "disconnected";
  showComposer();
}

/** What went wrong last in a room; an empty text when that is over. */
export function showProblem(name, text) {
  const room = rooms.get(name);
  if (room === undefined) return;
  room.problem = text;
  if (open === name) showProblemHere();
}

function showProblemHere() {
  const text = rooms.get(open)?.problem ?? "";
  // Text that stays must not be read out again.
  if (byId("problem").textContent !== text) byId("problem").textContent = text;
  byId("problem").hidden = text === "";
}

export function addRoom(name) {
  const item = element("li", "");
  item.dataset.room = name;
  const button = element("button", "open");
  const unread = element("span", "unread");
  button.append(element("bdi", "title", name), unread);
  const leave = element("button", "leave", "×");
  leave.setAttribute("aria-label", `Leave ${name}`);
  leave.title = `Leave ${name}`;
  item.append(button, leave);
  byId("rooms").append(item);

  const log = element("div", "log");
  log.setAttribute("role", "log");
  log.setAttribute("aria-label", `Messages in ${name}`);
  log.tabIndex = 0;
  log.hidden = true;
  byId("logs").append(log);
  const room = { item, button, unread, log, count: 0, problem: "", atEnd: true };
  log.addEventListener("scroll", () => {
    room.atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  });
  rooms.set(name, room);
  if (open === undefined) openRoom(name);
}

export function openRoom(name) {
  open = name;
  for (const [other, { button, log }] of rooms) {
    button.setAttribute("aria-current", String(other === name));
    log.hidden = other !== name;
  }
  byId("room-title").textContent = name ?? "No room";
  byId("text-label").textContent = name === undefined ? "Message" : `Message to ${name}`;
  showComposer();
  showProblemHere();
  const room = rooms.get(name);
  if (room === undefined) return;
  countUnread(room, 0);
  room.item.scrollIntoView({ block: "nearest", inline: "nearest" });
  room.atEnd = true;
  showEnd(room);
}

export function removeRoom(name) {
  const room = rooms.get(name);
  room?.item.remove();
  room?.log.remove();
  rooms.delete(name);
  if (open === name) openRoom(rooms.keys().next().value);
}

export function addMessage(name, { from, text, node }) {
  const room = rooms.get(name);
  if (room === undefined) return;
  const entry = element("div", "message");
  entry.classList.toggle("mine", from === ownName && node === ownNode);
  entry.style.setProperty("--hue", hueOf(node));
  Object.assign(entry.dataset, { from, node, text });
  const last = room.log.lastElementChild?.dataset;
  // One who says several things in a row is named once for the eye, and each time for the ear.
  entry.classList.toggle("follows", last?.from === from && last.node === node);

  const initial = [...from][0]?.toUpperCase() ?? "?";
  const avatar = element("span", "avatar", initial);
  avatar.setAttribute("aria-hidden", "true");
  const meta = element("p", "meta");
  const time = element("time", "", timeFormat.format(new Date()));
  meta.append(element("bdi", "from", from), element("span", "on", `node ${node}`), time);
  const body = element("p", "text", text);
  body.dir = "auto";
  entry.append(avatar, meta, body);
  append(room, entry);
  if (open !== name) countUnread(room, room.count + 1);
}

/** Says under the latest message of that text that others may lack it. */
export function markUncertain(name, { from, text }) {
  const room = rooms.get(name);
  const entry = Array.from(room?.log.children ?? []).findLast(({ dataset }) =>
    dataset.from === from && dataset.node === ownNode && dataset.text === text
  );
  if (entry === undefined || entry.classList.contains("uncertain")) return;
  entry.classList.add("uncertain");
  entry.append(element("p", "warning", "People on other nodes may not have this message."));
  showEnd(room);
}

/** Tells that somebody has `joined` or `left`. */
export function addPresence(name, who, node, what) {
  const room = rooms.get(name);
  if (room === undefined) return;
  const entry = element("p", "notice");
  const you = who === ownName && node === ownNode ? " (you)" : "";
  const on = element("span", "on", `node ${node}`);
  entry.style.setProperty("--hue", hueOf(node));
  entry.append(element("bdi", "from", who), `${you} ${what} · `, on);
  append(room, entry);
}

export function addNoticeEverywhere(text) {
  for (const room of rooms.values()) append(room, element("p", "notice", text));
}

const timeFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

function append(room, entry) {
  const { log } = room;
  log.append(entry);
  while (log.childElementCount > MAXIMUM_ENTRIES) log.firstElementChild.remove();
  showEnd(room);
}

/** Follows what is said, unless the person has scrolled back to read. */
function showEnd({ log, atEnd }) {
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function countUnread(room, count) {
  room.count = count;
  room.unread.textContent = count === 0 ? "" : `${count} `;
  if (count > 0) room.unread.append(element("span", "spoken", "unread"));
  showTitle();
}

/** Tells windows apart, and that something was said in a room that is not open. */
function showTitle() {
  const unread = rooms.values().reduce((sum, { count }) => sum + count, 0);
  const node = ownNode === undefined ? "" : `node ${ownNode} · `;
  document.title = `${unread === 0 ? "" : `(${unread}) `}${node}Hubplane chat`;
}

function showComposer() {
  const empty = byId("text").value.trim() === "";
  byId("text").disabled = open === undefined;
  byId("send").disabled = open === undefined || state !== "connected" || empty;
}

async function submitMessage(field, say) {
  const text = field.value.trim();
  if (text === "" || open === undefined || state !== "connected") return;
  field.value = "";
  showComposer();
  // What was not sent can be sent again, unless the person has gone on writing.
  if (!await say(open, text) && field.value === "") field.value = text;
  showComposer();
}

function onSubmit(form, field, action) {
  byId(form).addEventListener("submit", (event) => {
    event.preventDefault();
    const value = byId(field).value.trim();
    if (value !== "") action(value);
  });
}

/** Nodes whose names differ by one are far apart in colour. */
function hueOf(node) {
  let sum = 0;
  for (const character of node) sum = (sum * 31 + character.codePointAt(0)) % 100_000;
  return Math.round((sum * 137.508 + 50) % 360);
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
