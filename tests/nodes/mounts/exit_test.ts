import { assertEquals } from "@std/assert";
import { Child } from "../../kit/child.ts";
import { ROOT } from "../../kit/graph.ts";
import { bounded, Events } from "../../kit/wait.ts";

const CLIENTS = 20;

/** A client that has shaken hands; the result tells its records, and then its close code. */
async function connect(origin: string): Promise<[WebSocket, Events<string>]> {
  const socket = new WebSocket(`${origin.replace("http", "ws")}/hub`);
  const heard = new Events<string>();
  socket.onmessage = ({ data }) => {
    for (const record of data.split("\x1e").slice(0, -1)) heard.add(record);
  };
  socket.onclose = ({ code }) => heard.add(`closed with ${code}`);
  socket.onopen = () => socket.send('{"protocol":"json","version":1}\x1e');
  assertEquals(await bounded(heard.next()), "{}");
  return [socket, heard];
}

Deno.test("a process that ends after close() loses nothing that it has sent", async () => {
  const node = new URL("tests/nodes/mounts/exit_node.ts", ROOT).href;
  await using process = Child.start("run", "--no-prompt", "--allow-net", node);
  const [, origin = ""] = await process.until(/(http:\/\/[\w.]+:\d+)/);
  const clients: [WebSocket, Events<string>][] = [];
  for (let n = 0; n < CLIENTS; n++) clients.push(await connect(origin));
  clients[0]?.[0].send('{"type":1,"target":"leave","arguments":[]}\x1e');
  const ends = await bounded(Promise.all(clients.map(([, heard]) => heard.take(2))));
  const expected = ['{"type":7,"allowReconnect":true}', "closed with 1000"];
  assertEquals(ends, clients.map(() => expected));
});
