import { assertEquals, assertRejects } from "@std/assert";
import {
  type Backplane,
  BackplaneError,
  type BackplaneSubscription,
  createHubServer,
  defineHub,
  type HubContext,
  MemoryBackplane,
  MemoryBus,
} from "../../../mod.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { KeptLog } from "../../kit/log.ts";
import { settle } from "../../kit/pipe.ts";
import { PipeNode } from "../../kit/pipe_node.ts";

/** How a driver may break the contract. */
const MISTAKES: Record<string, () => unknown> = {
  throws: () => {
    throw new Error("mistake");
  },
  "rejects with no error": () => Promise.reject("mistake"),
};

/** A driver that makes a mistake when it publishes or unsubscribes. */
class FaultyBackplane extends RecordingBackplane {
  mistake: (() => unknown) | undefined;

  override publish(channel: string, payload: Uint8Array): Promise<number | undefined> {
    return (this.mistake?.() ?? super.publish(channel, payload)) as Promise<number | undefined>;
  }

  override subscribe(...args: Parameters<Backplane["subscribe"]>): BackplaneSubscription {
    const subscription = super.subscribe(...args);
    const unsubscribe = () => (this.mistake?.() ?? subscription.unsubscribe()) as Promise<void>;
    return {
      get confirmed() {
        return subscription.confirmed;
      },
      unsubscribe,
      [Symbol.asyncDispose]: unsubscribe,
    };
  }
}

for (const [name, mistake] of Object.entries(MISTAKES)) {
  Deno.test(`a node goes on although its driver ${name}`, async () => {
    const bus = new MemoryBus();
    await using other = await PipeNode.start(new RecordingBackplane(bus));
    await using node = await PipeNode.start(new FaultyBackplane(bus));
    const ann = await node.connect("ann");
    await node.groups.add("ann", "group");
    await settle();
    node.backplane.mistake = mistake;
    const { clients } = node;
    const error = await assertRejects(
      () => clients.all.send("heard", 1),
      BackplaneError,
      "mistake",
    );
    assertEquals(error.deliveredLocally, true);
    await assertRejects(() => clients.groups(["group", "b"]).send("heard", 2), BackplaneError);
    await assertRejects(() => node.groups.add("elsewhere", "group"), Error, "mistake");
    const elsewhere = (clients as unknown as HubContext<{ ask(): number }>["clients"])
      .client("elsewhere");
    await assertRejects(() => elsewhere.invoke("ask"), Error, "mistake");
    // Acknowledgements and answers to another node, which nobody awaits here.
    const add = other.groups.add("ann", "group");
    const there = (other.clients as unknown as HubContext<{ ask(): number }>["clients"])
      .client("ann").invoke("ask");
    await settle();
    const asked = ann.records.at(-1) as { invocationId: string };
    ann.send({ type: 3, invocationId: asked.invocationId, result: 1 });
    await node.groups.remove("ann", "group");
    node.advance(1000);
    await settle();
    node.backplane.mistake = undefined;
    other.advance(30_000);
    await assertRejects(() => add);
    await assertRejects(() => there);
    await clients.all.send("heard", "well");
    await ann.heard.find(([, text]) => text === "well");
    const warnings = new Set(node.logger.warnings.all);
    assertEquals(warnings.has("Cannot acknowledge what another node asked for:"), true);
    assertEquals(warnings.has("Cannot hand a client result back to its node:"), true);
    assertEquals(node.logger.errors.all.includes("Cannot unsubscribe from a channel:"), true);
  });
}

for (
  const [name, fail] of Object.entries({
    throws: () => {
      throw new Error("mistake");
    },
    rejects: () => Promise.reject(new Error("mistake")),
  })
) {
  Deno.test(`createHubServer() logs that a listener of its backplane ${name}`, async () => {
    const bus = new MemoryBus();
    const logger = new KeptLog();
    await using server = createHubServer({
      hubs: { "/hub": defineHub({ methods: {} }) },
      backplane: new MemoryBackplane(bus),
      logger,
      onGap: fail,
    });
    await server.ready;
    server.onStatus(fail);
    bus.stop();
    bus.start();
    await server.ready;
    await settle();
    // The bus goes and comes; then it is known what has become of the gap.
    const texts = ["onStatus", "onStatus", "onGap", "onStatus"].map((name) => `${name} failed:`);
    assertEquals(logger.errors.all.toSorted(), texts.toSorted());
  });
}
