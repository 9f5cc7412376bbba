import { MemoryBus } from "../../../mod.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import type { PipeClient } from "../../kit/pipe.ts";
import { PipeNode, type PipeNodeOptions } from "../../kit/pipe_node.ts";

/** Two nodes; `ann` is connected to the one that is not asked. */
export class TwoNodes implements AsyncDisposable {
  readonly bus: MemoryBus;
  readonly asked: PipeNode<RecordingBackplane>;
  readonly owner: PipeNode<RecordingBackplane>;
  readonly ann: PipeClient;

  private constructor(
    bus: MemoryBus,
    asked: PipeNode<RecordingBackplane>,
    owner: PipeNode<RecordingBackplane>,
    ann: PipeClient,
  ) {
    this.bus = bus;
    this.asked = asked;
    this.owner = owner;
    this.ann = ann;
  }

  static async start(options?: PipeNodeOptions): Promise<TwoNodes> {
    const bus = new MemoryBus();
    const asked = await PipeNode.start(new RecordingBackplane(bus), options);
    const owner = await PipeNode.start(new RecordingBackplane(bus), options);
    const ann = await owner.connect("ann");
    await endOfTurn();
    return new TwoNodes(bus, asked, owner, ann);
  }

  /** What ann hears of the messages to a group, in their order. */
  async heardOf(group: string): Promise<unknown[]> {
    const before = this.ann.texts.length;
    await this.asked.clients.group(group).send("heard", "to the group");
    await this.asked.clients.client("ann").send("heard", "to ann");
    await this.ann.heard.until((all) => all.slice(before).some(([, text]) => text === "to ann"));
    return this.ann.texts.slice(before);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.asked[Symbol.asyncDispose]();
    await this.owner[Symbol.asyncDispose]();
  }
}
