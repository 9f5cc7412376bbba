/**
 * What a node holds, counted where it is held. The engine is asked, which sees what is private and
 * what nothing but a forgotten closure still reaches.
 *
 * @module
 */
import { Session as Inspector } from "node:inspector";
import { HubConnection } from "../../../hub/connection/connection.ts";
import { ActiveCall } from "../../../hub/dispatch/active_call.ts";
import { Uploads } from "../../../hub/dispatch/uploads.ts";
import { ServedConnection } from "../../../hub/serving/served_connection.ts";
import { Session } from "../../../hub/transports/session.ts";
import { liveMiB } from "./live_memory.ts";

/** What a node holds; its memory is what stays when everything unreachable was given back. */
export interface NodeState {
  /** How many more there are of what a node holds than at its start. */
  readonly more: Readonly<Record<string, number>>;
  /** What V8 and the platform hold, in MiB. */
  readonly liveMiB: number;
}

const [upload] = new Uploads(1, () => undefined).open(["one"]);

/** Of these there is one for each connection, call or stream, and none before the first. */
const INSTANCES: Readonly<Record<string, object>> = {
  "connection objects": HubConnection.prototype,
  "served connection objects": ServedConnection.prototype,
  "session objects": Session.prototype,
  "call objects": ActiveCall.prototype,
  "upload objects": Object.getPrototypeOf(upload),
};

/**
 * All of these objects inherit from it, so that one search finds them: for each the engine collects garbage
 * until there is none left, which takes as long as all the rest.
 */
const counted: object = Object.create(Object.prototype);
for (const prototype of Object.values(INSTANCES)) Object.setPrototypeOf(prototype, counted);

/** Counts what was found, by the names of the prototypes. */
const COUNT = `function (...prototypes) {
  const counts = new Map(prototypes.map((prototype) => [prototype, 0]));
  for (const object of this) {
    const prototype = Object.getPrototypeOf(object);
    if (counts.has(prototype)) counts.set(prototype, counts.get(prototype) + 1);
  }
  return [...counts.values()].join(" ");
}`;

/** The maps and sets that a server with one hub has, as the way to them. */
const ENTRIES: Readonly<Record<string, string>> = {
  "tokens": "#table #sessions",
  "tokens by public id": "#table #byId",
  "users whose requests are held": "#relay #holds #shares",
  "requests that are relayed": "#relay #outward #requests",
  "requests that are served for other nodes": "#relay #inward #requests",
  "searches for connections": "#relay #locator #seeks",
  "questions of those searches": "#relay #locator #questions",
  "candidacies for connections": "#homes #candidacies #byConnection",
  "pending tokens": "#table #pending",
  "resting tokens": "#table #resting",
  "pipes of requests": "#table #pipes",
  "served connections of the hub": "#paths distinct 0 #served",
  "connections": "#paths distinct 0 #router #directory #connections",
  "connections in channels": "#paths distinct 0 #router #directory #memberships",
  "results that are awaited": "#paths distinct 0 #router results #questions #open",
  "connections that are asked": "#paths distinct 0 #router results #questions #byConnection",
  "acknowledgements that are awaited": "#paths distinct 0 #router #acks #pending #open",
  "connections that are watched": "#paths distinct 0 #router #watched #connections",
  "knocks without an answer": "#paths distinct 0 #router #watched #byKnock",
  "homes of watched connections": "#paths distinct 0 #router #watched #homes",
  "doors that are knocked on": "#paths distinct 0 #router #watched #knocks #due",
  "doors that wait": "#paths distinct 0 #router #watched #knocks #queue",
  "commands without an acknowledgement": "#paths distinct 0 #router groups #unanswered #byId",
  "connections that have ended lately": "#paths distinct 0 #router groups #closed #entries",
  "commands that were carried out": "#paths distinct 0 #router groups #carried #histories #entries",
  "connections that have come and lack something":
    "#paths distinct 0 #router #bus #incoming #repairs moved #catchUps",
  "questions of such connections":
    "#paths distinct 0 #router #bus #incoming #repairs moved #questions #asked",
  "claims for connections": "#paths distinct 0 handovers #handovers #claims",
  // A channel without members stays for a while, and is no state of anybody.
  "channels": "#paths distinct 0 #router #bus #incoming channels #channels",
  "channels without members": "#paths distinct 0 #router #bus #incoming channels #withoutMembers",
};

/** Counts what one server holds. */
export class StateCounter {
  readonly #server: object;
  readonly #inspector = new Inspector();
  #first: Readonly<Record<string, number>> = {};

  private constructor(server: object) {
    this.#server = server;
  }

  /** Begins, before anybody has connected. */
  static async start(server: object): Promise<StateCounter> {
    const counter = new StateCounter(server);
    counter.#inspector.connect();
    counter.#first = await counter.#entries();
    return counter;
  }

  async count(): Promise<NodeState> {
    const more: Record<string, number> = await this.#instances();
    for (const [name, size] of Object.entries(await this.#entries())) {
      more[name] = size - (this.#first[name] ?? 0);
    }
    await this.#post("Runtime.releaseObjectGroup", { objectGroup: GROUP });
    return { more, liveMiB: liveMiB() };
  }

  async #entries(): Promise<Record<string, number>> {
    const sizes: Record<string, number> = {};
    for (const [name, way] of Object.entries(ENTRIES)) sizes[name] = await this.#size(way);
    sizes["channels"] = (sizes["channels"] ?? 0) - (sizes["channels without members"] ?? 0);
    delete sizes["channels without members"];
    return sizes;
  }

  /** How many objects of each kind can still be reached. */
  async #instances(): Promise<Record<string, number>> {
    const { objects } = await this.#post("Runtime.queryObjects", {
      prototypeObjectId: await this.#idOf(counted),
      objectGroup: GROUP,
    });
    const prototypes = [];
    for (const prototype of Object.values(INSTANCES)) {
      prototypes.push({ objectId: await this.#idOf(prototype) });
    }
    const { result } = await this.#post("Runtime.callFunctionOn", {
      objectId: objects.objectId,
      functionDeclaration: COUNT,
      arguments: prototypes,
      returnByValue: true,
    });
    const counts = String(result.value).split(" ").map(Number);
    return Object.fromEntries(
      Object.keys(INSTANCES).map((name, index) => [name, counts[index] ?? NaN]),
    );
  }

  async #size(way: string): Promise<number> {
    let at: Remote = { objectId: await this.#idOf(this.#server) };
    for (const step of way.split(" ")) {
      const { result, privateProperties = [] } = await this.#post("Runtime.getProperties", {
        objectId: at.objectId,
        ownProperties: true,
      });
      const next = [...result, ...privateProperties].find(({ name }) => name === step)?.value;
      if (next === undefined) throw new Error(`Cannot count: no ${step} in ${way}`);
      at = next;
    }
    return sizeIn(at.description);
  }

  /** How many more entries its maps and sets have than at its start; no garbage is collected for that. */
  async entries(): Promise<Record<string, number>> {
    const sizes = Object.entries(await this.#entries());
    return Object.fromEntries(sizes.map(([name, size]) => [name, size - (this.#first[name] ?? 0)]));
  }

  /** What the inspector calls an object: it finds it in a global variable. */
  async #idOf(object: object): Promise<string | undefined> {
    const place = globalThis as { countedObject?: object };
    place.countedObject = object;
    const { result } = await this.#post("Runtime.evaluate", {
      expression: "countedObject",
      objectGroup: GROUP,
    });
    delete place.countedObject;
    return result.objectId;
  }

  #post<M extends keyof Answers>(method: M, params: object): Promise<Answers[M]> {
    const post = this.#inspector.post as unknown as (
      method: string,
      params: object,
      callback: (error: Error | null, answer: Answers[M]) => void,
    ) => void;
    return new Promise((resolve, reject) => {
      post.call(this.#inspector, method, params, (error, answer) => {
        if (error) reject(new Error(`Cannot count: ${JSON.stringify(error)}`));
        else resolve(answer);
      });
    });
  }
}

/** The size of what is described as `Map(3)` or `Array(3)`. */
function sizeIn(description = ""): number {
  const [, size] = /\((\d+)\)$/.exec(description) ?? [];
  if (size === undefined) throw new Error(`Cannot count: ${description}`);
  return Number(size);
}

/** What the inspector has to keep until it has been counted. */
const GROUP = "counted";

interface Remote {
  readonly objectId?: string | undefined;
  readonly description?: string;
}

interface Property {
  readonly name: string;
  readonly value?: Remote;
}

interface Answers {
  readonly "Runtime.evaluate": { readonly result: Remote };
  readonly "Runtime.queryObjects": { readonly objects: Remote };
  readonly "Runtime.callFunctionOn": { readonly result: { readonly value?: unknown } };
  readonly "Runtime.getProperties": {
    readonly result: readonly Property[];
    readonly privateProperties?: readonly Property[];
  };
  readonly "Runtime.releaseObjectGroup": unknown;
}
