/**
 * A node in a process of its own, so that its memory and descriptors can be measured from outside.
 * Prints its port, then stays until it is killed.
 *
 * @module
 */
import { createHubServer, defineHub, type HubContext, MemoryBackplane } from "@hubplane/hubplane";

interface Client {
  text(number: number, text: string): void;
}

let served = 0;

const hub = defineHub({
  methods: {
    async join({ groups, connectionId }: HubContext<Client>, group: string) {
      await groups.add(connectionId, group);
    },
    /** Sends `count` messages of `size` characters to a group, a few in a turn. */
    async flood({ clients }: HubContext<Client>, group: string, count: number, size: number) {
      const text = "x".repeat(size);
      for (let number = 0; number < count; number++) {
        await clients.group(group).send("text", number, text);
        if (number % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return count;
    },
    /** Takes a second, while its caller goes on sending. */
    async slow() {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return ++served;
    },
    /** How many connections this node still has in its hub. */
    open() {
      return connections;
    },
  },
  connected() {
    connections++;
  },
  disconnected() {
    connections--;
  },
});
let connections = 0;

const server = createHubServer({
  hubs: { "/hub": hub },
  backplane: new MemoryBackplane(),
  handshakeTimeout: 2000,
});
await server.ready;
Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => Deno.stdout.writeSync(new TextEncoder().encode(`${port}\n`)),
}, server.fetch);
