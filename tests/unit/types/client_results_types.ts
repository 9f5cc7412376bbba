/**
 * What the compiler promises of asking clients; see `public_types.ts`.
 *
 * @module
 */
import type { HubClients, HubContext } from "../../../mod.ts";
import { claim, holds, type Same } from "./type_claims.ts";

interface AskedClient {
  add(a: number, b: number): number;
  later(text: string): Promise<{ readonly length: number }>;
  maybe(): string | undefined;
  nothing(): void;
  nothingLater(): Promise<void>;
  empty(): null;
  something(value: unknown): unknown;
  readonly version: number;
}

claim("invoke() takes the client's methods that have a result, and resolves with it", () => {
  function _calls(clients: HubClients<AskedClient>, { clients: own }: HubContext<AskedClient>) {
    const client = clients.client("id");
    holds<Same<ReturnType<typeof client.invoke<"add">>, Promise<number>>>();
    holds<Same<ReturnType<typeof client.invoke<"later">>, Promise<{ readonly length: number }>>>();
    // A client that answers with undefined answers with an error.
    holds<Same<ReturnType<typeof client.invoke<"maybe">>, Promise<string>>>();
    holds<Same<ReturnType<typeof client.invoke<"empty">>, Promise<null>>>();
    holds<Same<ReturnType<typeof client.invoke<"something">>, Promise<unknown>>>();
    holds<Same<typeof client, ReturnType<typeof client.with>>>();
    client.with({ timeout: 1000, signal: AbortSignal.abort() }).invoke("add", 1, 2);
    own.caller.with({}).invoke("add", 1, 2);
    own.client("id").invoke("empty");
    // @ts-expect-error: it has no result, so asking for one is an error
    client.invoke("nothing");
    // @ts-expect-error: nor has it later
    client.invoke("nothingLater");
    // @ts-expect-error: no method of that name
    client.invoke("subtract", 1, 2);
    // @ts-expect-error: a property is no method
    client.invoke("version");
    // @ts-expect-error: an argument is missing
    client.invoke("add", 1);
    // @ts-expect-error: an argument of the wrong type
    client.invoke("add", 1, "2");
    // @ts-expect-error: a result of another type
    const _text: Promise<string> = client.invoke("add", 1, 2);
    // @ts-expect-error: a duration is a number
    client.with({ timeout: "1s" });
  }
});

claim("invoke() is there for one connection only", () => {
  function _calls({ clients }: HubContext<AskedClient>) {
    // @ts-expect-error: whose result would it be
    clients.all.invoke("add", 1, 2);
    // @ts-expect-error: a group has many members
    clients.group("g").invoke("add", 1, 2);
    // @ts-expect-error: a user has many connections
    clients.user("ann").invoke("add", 1, 2);
    // @ts-expect-error: a list has many connections
    clients.clients(["id"]).invoke("add", 1, 2);
    // @ts-expect-error: there are many others
    clients.others.invoke("add", 1, 2);
    // @ts-expect-error: nor has a set options for it
    clients.all.with({ timeout: 1 });
  }
  function _untyped(clients: HubClients<never>) {
    // @ts-expect-error: nothing is known of the clients
    clients.client("id").invoke("add", 1, 2);
  }
});
