import { assertEquals } from "@std/assert";
import { defineHub, type HubClients, type HubServerOptions } from "../../../mod.ts";
import { type CoreClient, HubCore } from "../../kit/hub_core.ts";
import { call } from "../../kit/messages.ts";
import { settle } from "../../kit/pipe.ts";

/** Ends a connection. */
type End = (client: CoreClient, core: HubCore) => void;

const OPTIONS: HubServerOptions = {
  maximumQueuedReceiveBytes: 1000,
  maximumBufferedBytes: 1000,
  maximumReceiveMessageSize: 500,
  detailedErrors: false,
};

const hub = defineHub({ methods: { wait: () => new Promise<void>(() => {}) } });

const ended = (why: string) => `The connection of a client has ended: ${why}`;

const ENDS: Readonly<Record<string, readonly [level: string, text: string, end: End]>> = {
  "leaves": ["debug", "A client has left:", ({ pipe }) => pipe.vanish()],
  "gives a reason": ["debug", ended("bye"), ({ pipe }) => pipe.send({ type: 7, error: "bye" })],
  "is silent": [
    "debug",
    ended("Client hasn't sent a message/ping within the configured ClientTimeoutInterval."),
    ({ pipe }, core) => {
      pipe.send({ type: 6 });
      core.pass(31_000);
    },
  ],
  "breaks a rule": [
    "info",
    ended("Missing required property 'type'."),
    ({ pipe }) => pipe.send({}),
  ],
  "leaves in the middle of a message": [
    "info",
    ended("Connection terminated while reading a message."),
    ({ pipe }) => {
      pipe.sendText('{"type":');
      pipe.vanish();
    },
  ],
  "floods": [
    "warn",
    ended("Too many bytes are waiting to be dispatched."),
    ({ pipe }) => pipe.send(...Array.from({ length: 50 }, () => call(undefined, "wait"))),
  ],
  "reads too slowly": [
    "warn",
    ended("The client reads too slowly: too many bytes are unsent."),
    ({ pipe }, core) => {
      pipe.stuck = true;
      const clients = core.live.clients as unknown as HubClients<{ got(text: string): void }>;
      for (let n = 0; n < 3; n++) clients.all.send("got", "x".repeat(800));
    },
  ],
};

for (const [what, [level, text, end]] of Object.entries(ENDS)) {
  Deno.test(`the end of a client that ${what} is logged once a minute, as ${level}`, async () => {
    await using core = new HubCore(hub, OPTIONS);
    for (let n = 0; n < 5; n++) {
      const client = await core.connect();
      end(client, core);
      await client.connection.finished;
    }
    const expected = level === "debug" ? `${text} c1` : `${level} ${text} c1`;
    const logged = [...core.log.lines, ...core.log.details];
    assertEquals(logged.filter((line) => line.includes(text)), [expected]);
    core.limitedLog.sweep();
  });
}

Deno.test("a refused handshake is logged as a detail", async () => {
  await using core = new HubCore(hub);
  const { pipe, connection } = core.admit();
  pipe.send({ protocol: "xml", version: 1 });
  await connection.finished;
  await settle();
  assertEquals(core.log.lines, []);
  assertEquals(core.log.details, [ended("The protocol 'xml' is not supported.") + " c1"]);
});
