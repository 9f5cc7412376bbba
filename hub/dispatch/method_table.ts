import type { HubContext } from "../context.ts";
import type { HubMethods } from "../hub.ts";
import { countParameters, type ParameterCount } from "./parameters.ts";

/** A method that clients may call. */
export interface CallableMethod {
  /** The function; it has no `this`. */
  readonly call: (context: HubContext<never, never>, ...args: unknown[]) => unknown;
  /** How many arguments it takes. */
  readonly parameters: ParameterCount;
  /** Whether it streams: its function is a generator. */
  readonly streams: boolean;
}

/** The methods of a hub by name without case; nothing else can be called. */
export class MethodTable {
  readonly #methods = new Map<string, CallableMethod>();

  constructor(methods: HubMethods) {
    for (const [name, method] of Object.entries(methods)) {
      this.#methods.set(name.toLowerCase(), {
        call: method as CallableMethod["call"],
        parameters: countParameters(method),
        streams: /Generator/.test(Object.prototype.toString.call(method)),
      });
    }
  }

  /** The method of that name, or `undefined`. */
  find(name: string): CallableMethod | undefined {
    return this.#methods.get(name.toLowerCase());
  }
}
