import { defineHub, type HubContext, HubError } from "@hubplane/hubplane";

/** What somebody wants to eat. */
export interface Order {
  readonly id: number;
  readonly table: number;
  readonly dish: string;
}

/** What the page of the kitchen can be called with. */
export interface KitchenPage {
  /** There is a new order. */
  ordered(order: Order): void;
  /** An order is done. */
  finished(id: number): void;
}

/** How many orders a kitchen can have open. */
const MOST = 100;

/** The longest name of a dish, in characters. */
const LONGEST = 80;

/** The open orders. In place of a database: with several nodes they must share one. */
export class Orders {
  readonly #open = new Map<number, Order>();
  #last = 0;

  /** All of them, the oldest first. */
  get open(): readonly Order[] {
    return [...this.#open.values()];
  }

  /** Takes an order from a request's body; returns what is wrong with it if it cannot. */
  take(body: unknown): Order | string {
    const { table, dish } = (body ?? {}) as Partial<Record<string, unknown>>;
    if (!Number.isInteger(table) || Number(table) < 1 || Number(table) > 99) {
      return "table is not a number from 1 to 99";
    }
    if (typeof dish !== "string" || dish.trim() === "" || dish.length > LONGEST) {
      return `dish is not a text of 1 to ${LONGEST} characters`;
    }
    if (this.#open.size === MOST) return "the kitchen has too many orders";
    const order = { id: ++this.#last, table: Number(table), dish: dish.trim() };
    this.#open.set(order.id, order);
    return order;
  }

  /** Returns whether it was open. */
  finish(id: unknown): boolean {
    return this.#open.delete(id as number);
  }
}

/** What the kitchen's page can do. */
export function defineKitchen(orders: Orders) {
  type Context = HubContext<KitchenPage>;
  return defineHub({
    methods: {
      open: (_context: Context) => orders.open,
      async finish({ clients }: Context, id: number) {
        if (!orders.finish(id)) throw new HubError("That order is not open");
        await clients.all.send("finished", id);
      },
    },
  });
}
