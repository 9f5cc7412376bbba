import type { Cluster } from "./cluster.ts";
import type { NodeContext } from "./node_context.ts";
import type { HubMessage, IndexQuestion, MessagesQuestion } from "./node_messages.ts";
import type { Numbering } from "./numbering.ts";

/** A question of another node about the messages of this one. */
export type NumberQuestion = IndexQuestion | MessagesQuestion;

/** How many answers may be on their way to the bus, and how many questions may wait for one. */
const MAXIMUM_UNDER_WAY = 4;
const MAXIMUM_WAITING = 1000;
/** How many questions are remembered. */
const MAXIMUM_KNOWN = 256;

/** The parts of a node that answers need. */
export interface AnswersContext extends Pick<NodeContext, "serverName" | "scheduler" | "time"> {
  readonly cluster: Pick<Cluster, "tell" | "status">;
}

/**
 * Answers what other nodes ask about the messages of this one. An answer may be long: few are under way at
 * once, so that they take little memory and time however many questions come. While a question waits, its
 * repetition takes its place. A copy of a question, as a second bus brings, is not answered: a repetition
 * has another id.
 */
export class Answers {
  readonly #context: AnswersContext;
  readonly #numbering: Numbering;
  readonly #waiting = new Map<string, NumberQuestion>();
  /** The latest questions; the oldest comes first. */
  readonly #known = new Set<string>();
  #underWay = 0;

  constructor(context: AnswersContext, numbering: Numbering) {
    this.#context = context;
    this.#numbering = numbering;
  }

  /** Answers a question now or soon; not at all if too many wait, or the bus is away: it is repeated. */
  give(question: NumberQuestion): void {
    if (this.#isCopy(question)) return;
    if (this.#underWay < MAXIMUM_UNDER_WAY) return void this.#give(question);
    const key = keyOf(question);
    if (this.#waiting.size < MAXIMUM_WAITING || this.#waiting.has(key)) {
      this.#waiting.set(key, question);
    }
  }

  #isCopy({ node, kind, id }: NumberQuestion): boolean {
    const identity = `${node}\n${kind}\n${id}`;
    if (this.#known.has(identity)) return true;
    this.#known.add(identity);
    const [oldest] = this.#known;
    if (this.#known.size > MAXIMUM_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    return false;
  }

  async #give(question: NumberQuestion): Promise<void> {
    const { cluster, scheduler } = this.#context;
    this.#underWay++;
    await cluster.tell(question.node, this.#answerTo(question));
    // A bus that refuses everything answers within the turn.
    await scheduler.spend();
    this.#underWay--;
    for (const [key, next] of this.#waiting) {
      this.#waiting.delete(key);
      // While the bus is away all of them are dropped.
      if (cluster.status === "open") return void this.#give(next);
    }
  }

  #answerTo(question: NumberQuestion): HubMessage {
    const { id, hub, after, age } = question;
    const about = { id, node: this.#context.serverName, hub, after };
    const now = this.#context.time.now();
    if (question.kind === "askIndex") {
      return { kind: "index", ...about, ...this.#numbering.index(after, age, now) };
    }
    const { channel } = question;
    const repetition = this.#numbering.repeat(channel, after, age, now);
    return { kind: "messages", ...about, channel, ...repetition };
  }
}

function keyOf(question: NumberQuestion): string {
  const { node, after } = question;
  return `${node}\n${after}\n${question.kind === "askMessages" ? question.channel : ""}`;
}
