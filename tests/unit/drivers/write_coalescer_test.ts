import { assertEquals } from "@std/assert";
import { WriteCoalescer } from "../../../backplanes/driver/write_coalescer.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";

/** A coalescer on a bus whose answers take as long as a test says. */
class TimedBus implements Disposable {
  readonly coalescer = new WriteCoalescer(() => this.#write());
  /** How many messages each write had. */
  readonly writes: number[] = [];
  readonly #now = performance.now;
  #time = 0;
  #queued = 0;

  constructor() {
    performance.now = () => this.#time;
  }

  queue(): void {
    this.#queued++;
    this.coalescer.queued();
  }

  /** Writes `messages` and gets their answers after `duration` milliseconds, `times` times. */
  exchange(duration: number, times: number, messages = 1): void {
    for (let time = 0; time < times; time++) {
      for (let message = 0; message < messages; message++) this.queue();
      this.#write();
      this.#time += duration;
      for (let answers = 0; answers < messages; answers++) this.coalescer.acknowledged();
    }
  }

  /** Whether a message waits for the answer to the one before. */
  async joins(): Promise<boolean> {
    // The turns that were begun before end.
    await endOfTurn();
    this.writes.length = 0;
    this.queue();
    await endOfTurn();
    this.queue();
    await endOfTurn();
    const joined = this.writes.length === 1;
    this.#time += 0.5;
    // The first answer writes the second message, if it waits.
    for (let answers = 0; answers < 2; answers++) this.coalescer.acknowledged();
    return joined;
  }

  #write(): void {
    if (this.#queued === 0) return;
    this.writes.push(this.#queued);
    this.coalescer.flushed(this.#queued);
    this.#queued = 0;
  }

  [Symbol.dispose](): void {
    performance.now = this.#now;
  }
}

Deno.test("WriteCoalescer lets messages wait for a near bus, until the bus has moved away", async () => {
  using bus = new TimedBus();
  bus.exchange(0.5, 1);
  assertEquals(await bus.joins(), true);
  // The bus moves 20 ms away.
  bus.exchange(20, 70);
  assertEquals(await bus.joins(), false);
  bus.exchange(0.5, 1);
  assertEquals(await bus.joins(), true);
});

Deno.test("WriteCoalescer takes a bus that is busy with many messages for near", async () => {
  using bus = new TimedBus();
  bus.exchange(0.5, 1);
  bus.exchange(20, 100, 50);
  assertEquals(await bus.joins(), true);
});

Deno.test("WriteCoalescer takes a bus with some late answers for near", async () => {
  using bus = new TimedBus();
  for (let round = 0; round < 10; round++) {
    bus.exchange(0.5, 1);
    bus.exchange(20, 30);
  }
  assertEquals(await bus.joins(), true);
});
