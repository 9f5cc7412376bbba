/**
 * Without a server: clients are pipes in memory, so that the order of all that happens is the test's.
 * `cancel_test.ts` cancels on every server.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { defineHub, type HubContext, HubError } from "../../../mod.ts";
import { Events } from "../../kit/wait.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { call, cancel } from "../../kit/messages.ts";

type Context = HubContext<{ got(value: unknown): void }>;

function waitingHub() {
  const aborted = new Events<string>();
  const hub = defineHub({
    methods: {
      echo: (_context: Context, value: unknown) => value,
      async wait({ signal }: Context, name: string) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        aborted.add(name);
        return name;
      },
      async refuse({ signal }: Context) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        throw new HubError("Cancelled as you wished");
      },
      async heed({ signal }: Context) {
        await new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason))
        );
      },
      async late({ signal }: Context) {
        // Nobody has asked for the signal when it is aborted.
        for (let turn = 0; turn < 10; turn++) await Promise.resolve();
        return signal.aborted;
      },
    },
  });
  return { hub, aborted };
}

const PARALLEL = { maximumParallelInvocationsPerClient: 10 };

Deno.test("CancelInvocation aborts the signal of a plain call, whose answer is still sent", async () => {
  const { hub, aborted } = waitingHub();
  await using core = new HubCore(hub, PARALLEL);
  const { pipe } = await core.connect();
  pipe.send(call("1", "wait", "one"), call("2", "wait", "two"), cancel("1"));
  assertEquals(await pipe.next(), { type: 3, invocationId: "1", result: "one" });
  assertEquals(aborted.all, ["one"]);
  pipe.send(cancel("1"), cancel("unknown"), cancel("2"), cancel("2"));
  assertEquals(await pipe.next(), { type: 3, invocationId: "2", result: "two" });
  pipe.send(call("3", "late"), cancel("3"));
  assertEquals(await pipe.next(), { type: 3, invocationId: "3", result: true });
});

Deno.test("CancelInvocation aborts every plain call of its id", async () => {
  const { hub, aborted } = waitingHub();
  await using core = new HubCore(hub, PARALLEL);
  const { pipe } = await core.connect();
  pipe.send(call("1", "wait", "first"), call("1", "wait", "second"), cancel("1"));
  assertEquals(await aborted.take(2), ["first", "second"]);
  // The id means later calls as well.
  pipe.send(call("1", "wait", "third"), cancel("1"));
  assertEquals(await aborted.next(), "third");
});

Deno.test("CancelInvocation lets a method say why it ends, and does not alarm the operator", async () => {
  const { hub } = waitingHub();
  await using core = new HubCore(hub, PARALLEL);
  const { pipe } = await core.connect();
  const text = (method: string) =>
    `An unexpected error occurred invoking '${method}' on the server.`;
  pipe.send(call("1", "refuse"), cancel("1"));
  assertEquals(await pipe.next(), {
    type: 3,
    invocationId: "1",
    error: `${text("refuse")} HubException: Cancelled as you wished`,
  });
  pipe.send(call("2", "heed"), cancel("2"));
  assertEquals(await pipe.next(), { type: 3, invocationId: "2", error: text("heed") });
  assertEquals(core.log.lines, []);
});

Deno.test("CancelInvocation is heard while another call waits for a slot", async () => {
  const { hub, aborted } = waitingHub();
  await using core = new HubCore(hub, { maximumParallelInvocationsPerClient: 1 });
  const { pipe } = await core.connect();
  pipe.send(call("1", "wait", "one"), call("2", "echo", "two"), cancel("1"));
  assertEquals(await aborted.next(), "one");
  await pipe.next();
  assertEquals(await pipe.next(), { type: 3, invocationId: "2", result: "two" });
});
