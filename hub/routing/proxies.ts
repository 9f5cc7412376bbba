import type {
  ClientProxy,
  HubCallerClients,
  HubClients,
  HubGroups,
  InvokeOptions,
  SingleClientProxy,
} from "../definition/clients.ts";
import { markSent, NOTHING_TO_ACCEPT } from "../definition/sent.ts";
import { GroupAction } from "../bus/envelope.ts";
import type { Caller } from "./group_commands.ts";
import type { Router, Target } from "./router.ts";

class RoutedProxy<C> implements ClientProxy<C> {
  readonly #router: Router;
  readonly #target: Target;

  constructor(router: Router, target: Target) {
    this.#router = router;
    this.#target = target;
  }

  send(method: string, ...args: readonly unknown[]): Promise<void> {
    let sent: Promise<void> | undefined;
    try {
      sent = this.#router.send(this.#target, method, args);
    } catch (error) {
      return markSent(this.#router.unheard.watch("send", Promise.reject(error)));
    }
    if (sent === undefined) return NOTHING_TO_ACCEPT;
    // The bus logs its failures.
    sent.catch(ignore);
    return markSent(sent);
  }
}

function ignore(): void {}

/** Called before a result is asked for; throws if that is not allowed here. */
export type BeforeInvoke = () => void;

const NOBODY: readonly never[] = [];

class RoutedSingleProxy<C> extends RoutedProxy<C> implements SingleClientProxy<C> {
  readonly #router: Router;
  readonly #connectionId: string;
  readonly #before: BeforeInvoke | undefined;
  readonly #options: InvokeOptions;

  constructor(
    router: Router,
    connectionId: string,
    before?: BeforeInvoke,
    options: InvokeOptions = {},
  ) {
    super(router, connections([connectionId]));
    this.#router = router;
    this.#connectionId = connectionId;
    this.#before = before;
    this.#options = options;
  }

  invoke(method: string, ...args: readonly unknown[]): Promise<never> {
    return this.#router.unheard.watch("invoke", this.#ask(method, args));
  }

  with(options: InvokeOptions): SingleClientProxy<C> {
    return new RoutedSingleProxy(this.#router, this.#connectionId, this.#before, options);
  }

  // The client returns what its interface says; nothing here can check that.
  // deno-lint-ignore require-await -- a refusal must reject and not throw
  async #ask(method: string, args: readonly unknown[]): Promise<never> {
    this.#before?.();
    const { results } = this.#router;
    return results.invoke(this.#connectionId, method, args, this.#options) as Promise<never>;
  }
}

/** {@link HubClients} over a router. */
export class RoutedClients<C> implements HubClients<C> {
  readonly #router: Router;
  readonly #before: BeforeInvoke | undefined;

  constructor(router: Router, before?: BeforeInvoke) {
    this.#router = router;
    this.#before = before;
  }

  get all(): ClientProxy<C> {
    return this.#to({ kind: "all", names: NOBODY, excluded: NOBODY });
  }

  allExcept(connectionIds: readonly string[]): ClientProxy<C> {
    return this.#to({ kind: "all", names: NOBODY, excluded: connectionIds });
  }

  client(connectionId: string): SingleClientProxy<C> {
    return new RoutedSingleProxy(this.#router, connectionId, this.#before);
  }

  clients(connectionIds: readonly string[]): ClientProxy<C> {
    return this.#to(connections(connectionIds));
  }

  group(name: string): ClientProxy<C> {
    return this.groups([name]);
  }

  groups(names: readonly string[]): ClientProxy<C> {
    return this.#to({ kind: "groups", names, excluded: NOBODY });
  }

  groupExcept(name: string, connectionIds: readonly string[]): ClientProxy<C> {
    return this.#to({ kind: "groups", names: [name], excluded: connectionIds });
  }

  user(id: string): ClientProxy<C> {
    return this.users([id]);
  }

  users(ids: readonly string[]): ClientProxy<C> {
    return this.#to({ kind: "users", names: ids, excluded: NOBODY });
  }

  #to(target: Target): ClientProxy<C> {
    return new RoutedProxy(this.#router, target);
  }
}

function connections(ids: readonly string[]): Target {
  return { kind: "connections", names: ids, excluded: NOBODY };
}

/** {@link HubCallerClients} over a router. */
export class RoutedCallerClients<C> extends RoutedClients<C> implements HubCallerClients<C> {
  readonly #connectionId: string;

  constructor(router: Router, connectionId: string, before: BeforeInvoke) {
    super(router, before);
    this.#connectionId = connectionId;
  }

  get caller(): SingleClientProxy<C> {
    return this.client(this.#connectionId);
  }

  get others(): ClientProxy<C> {
    return this.allExcept([this.#connectionId]);
  }

  othersInGroup(name: string): ClientProxy<C> {
    return this.groupExcept(name, [this.#connectionId]);
  }
}

/** {@link HubGroups} over a router. */
export class RoutedGroups implements HubGroups {
  readonly #router: Router;
  readonly #caller: Caller | undefined;

  /** `caller` is the connection whose calls change groups, if it is one. */
  constructor(router: Router, caller?: Caller) {
    this.#router = router;
    this.#caller = caller;
  }

  add(connectionId: string, group: string): Promise<void> {
    return this.#change("groups.add", GroupAction.Add, connectionId, group);
  }

  remove(connectionId: string, group: string): Promise<void> {
    return this.#change("groups.remove", GroupAction.Remove, connectionId, group);
  }

  #change(operation: string, action: number, id: string, group: string): Promise<void> {
    const { groups, unheard } = this.#router;
    return unheard.watch(operation, groups.change(action, id, group, this.#caller));
  }
}
