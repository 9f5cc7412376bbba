/**
 * A node of Socket.IO under Node: `socketio_node.mjs --port=P --packages=FOLDER [--bus=redis://…]`.
 * Its packages are in a folder of the benchmark, not of the project.
 *
 * @module
 */
import { createServer } from "node:http";
import { createRequire } from "node:module";
import process from "node:process";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    packages: { type: "string" },
    bus: { type: "string" },
  },
});
const require = createRequire(`${values.packages}/`);
const { Server } = require("socket.io");

const http = createServer();
const io = new Server(http, { serveClient: false });

if (values.bus !== undefined) {
  const { createAdapter } = require("@socket.io/redis-adapter");
  const { Redis } = require("ioredis");
  const publisher = new Redis(values.bus, { enableAutoPipelining: true });
  io.adapter(createAdapter(publisher, publisher.duplicate()));
}

io.on("connection", (socket) => {
  socket.on("all", (payload) => io.emit("message", payload));
  socket.on("group", (name, payload) => io.to(name).emit("message", payload));
  socket.on("one", (id, payload) => io.to(id).emit("message", payload));
  socket.on("echo", (payload, answer) => answer(payload));
  socket.on("join", async (name, token, answer) => {
    await socket.join(name);
    answer(token);
  });
  socket.on("enlist", (id, name, token, answer) => {
    io.in(id).socketsJoin(name);
    answer(token);
  });
  socket.on("leave", async (name, token, answer) => {
    await socket.leave(name);
    answer(token);
  });
});

process.on("SIGTERM", () => process.exit(0));
http.listen(Number(values.port), "127.0.0.1", () => {
  process.stdout.write(`${http.address().port}\n`);
});
