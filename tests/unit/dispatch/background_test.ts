import { assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { Events } from "../../kit/wait.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { settle } from "../../kit/pipe.ts";
import { call } from "../../kit/messages.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";

interface Client {
  got(value: unknown): void;
  ask(): string;
}
type Context = HubContext<Client>;

/** A bus that accepts what is published when the test says so. */
function heldBackplane() {
  const held = new Events<() => void>();
  const backplane = new RecordingBackplane();
  backplane.beforeAccepted = () => new Promise<void>((resolve) => held.add(resolve));
  return { backplane, held };
}

function talkingHub() {
  const started = new Events<string>();
  const hub = defineHub({
    methods: {
      tell({ clients }: Context, text: string) {
        started.add(text);
        return clients.all.send("got", text);
      },
      async tellAndGoOn({ clients }: Context, text: string) {
        started.add(text);
        await clients.all.send("got", text);
      },
      async ask({ clients }: Context, name: string) {
        started.add(name);
        return await clients.caller.invoke("ask");
      },
      async *count({ signal }: Context) {
        yield 1;
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      },
      echo: (_context: Context, value: string) => value,
    },
  });
  return { hub, started };
}

interface Completion {
  readonly type: number;
  readonly invocationId: string;
  readonly error?: string;
}

/** The completions among what a client has received. */
function completions(records: readonly unknown[]): Completion[] {
  return (records as Completion[]).filter(({ type }) => type === 3);
}

Deno.test("a method that ends with a send lets the next call begin before the bus has accepted it", async () => {
  const { hub, started } = talkingHub();
  const { backplane, held } = heldBackplane();
  await using core = new HubCore(hub, {}, backplane);
  const { pipe } = await core.connect();
  const texts = ["a", "b", "c"];
  pipe.send(...texts.map((text) => call(text, "tell", text)));
  await settle();
  assertEquals(started.all, texts);
  assertEquals(completions(pipe.records), []);
  // Each call ends when its own message has been accepted.
  for (const accept of [...held.all].reverse()) accept();
  await settle();
  const ended = completions(pipe.records);
  assertEquals(ended.map(({ invocationId }) => invocationId), ["c", "b", "a"]);
});

Deno.test("a method that awaits its send holds up the next call", async () => {
  const { hub, started } = talkingHub();
  const { backplane, held } = heldBackplane();
  await using core = new HubCore(hub, {}, backplane);
  const { pipe } = await core.connect();
  pipe.send(call("1", "tellAndGoOn", "a"), call("2", "tellAndGoOn", "b"));
  await settle();
  assertEquals(started.all, ["a"]);
  (await held.next())();
  await settle();
  assertEquals(started.all, ["a", "b"]);
  (await held.next())();
});

Deno.test("a client whose sends the bus does not accept is read no further after 256 of them", async () => {
  const { hub, started } = talkingHub();
  const { backplane, held } = heldBackplane();
  await using core = new HubCore(hub, {}, backplane);
  const { pipe } = await core.connect();
  pipe.send(...Array.from({ length: 300 }, (_, n) => call(`${n}`, "tell", `${n}`)));
  await settle();
  // And the one that holds the slot.
  assertEquals(started.all.length, 257);
  for (let n = 0; n < 300; n++) (await held.next())();
  await settle();
  assertEquals(started.all.length, 300);
});

Deno.test("maximumBackgroundInvocationsPerClient bounds streams and calls that wait for the client", async () => {
  const { hub } = talkingHub();
  await using core = new HubCore(hub, { maximumBackgroundInvocationsPerClient: 2 });
  const { pipe } = await core.connect();
  const before = pipe.records.length;
  pipe.send(call("1", "ask", "a"), { ...call("2", "count"), type: 4 });
  pipe.send({ ...call("3", "count"), type: 4 }, call("4", "echo", "x"));
  await settle();
  const error = (target: string) =>
    `Failed to invoke '${target}' due to an error on the server. HubException: More than 2 invocations are under way.`;
  const answers = completions(pipe.records.slice(before));
  assertEquals(answers, [
    { type: 3, invocationId: "3", error: error("count") },
    { type: 3, invocationId: "4", error: error("echo") },
  ]);
  pipe.send({ type: 5, invocationId: "2" });
  await settle();
  pipe.send(call("5", "echo", "y"));
  await settle();
  assertEquals(pipe.records.at(-1), { type: 3, invocationId: "5", result: "y" });
});
