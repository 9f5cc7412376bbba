import { assertEquals } from "@std/assert";
import { defineHub, type HubContext, HubError } from "../../../mod.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { settle } from "../../kit/pipe.ts";

type Context = HubContext<{ got(text: string): void }>;

const GOT = (text: string) => ({ type: 1, target: "got", arguments: [text] });

/** A hub whose `connected` ends when the test says so, and refuses if `refusal` is given. */
function slowToConnect(refusal?: HubError) {
  const finish = Promise.withResolvers<void>();
  const hub = defineHub({
    methods: {},
    async connected({ clients, groups, connectionId }: Context) {
      await groups.add(connectionId, "readers");
      await clients.caller.send("got", "the state");
      await finish.promise;
      if (refusal !== undefined) throw refusal;
    },
  });
  return { hub, finish };
}

for (const refusal of [undefined, new HubError("not you")]) {
  Deno.test(`a client is reached while connected runs, then ${refusal ? "refused" : "let in"}`, async () => {
    const { hub, finish } = slowToConnect(refusal);
    await using core = new HubCore(hub);
    const { pipe, connection } = core.admit({ id: "ann" });
    pipe.send({ protocol: "json", version: 1 });
    await settle();
    const clients = core.live.clients as unknown as Context["clients"];
    await clients.all.send("got", "all");
    await clients.user("ann").send("got", "user");
    await clients.group("readers").send("got", "group");
    await clients.client(connection.id).send("got", "client");
    await settle();
    // A client that is let in would miss a change of the state that it was sent.
    const heard = ["the state", "all", "user", "group", "client"].map(GOT);
    assertEquals(pipe.records, [{}, ...heard]);
    finish.resolve();
    await settle();
    assertEquals(connection.isClosed, refusal !== undefined);
    await clients.all.send("got", "afterwards");
    await settle();
    const error = "Connection closed with an error. HubException: not you";
    assertEquals(pipe.records.slice(6), [refusal ? { type: 7, error } : GOT("afterwards")]);
  });
}
