import {
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  LogLevel,
} from "@microsoft/signalr";
import { ClientSockets } from "../../kit/client_sockets.ts";
import { bounded } from "./program.ts";

/** What a person hears: the method's name and its arguments. */
export type Heard = readonly [method: "message" | "joined" | "left", ...args: string[]];

/** Somebody who chats, with the official client. */
export class Person implements AsyncDisposable {
  readonly connection: HubConnection;
  readonly heard: Heard[] = [];
  readonly #sockets = new ClientSockets();
  #more: PromiseWithResolvers<void> = Promise.withResolvers();

  private constructor(url: string, name: string | undefined) {
    const query = name === undefined ? "" : `?name=${encodeURIComponent(name)}`;
    this.connection = new HubConnectionBuilder()
      .withUrl(new URL(`/chat${query}`, url).href, {
        transport: HttpTransportType.WebSockets,
        ...this.#sockets,
      })
      .configureLogging(LogLevel.None)
      .build();
    for (const method of ["message", "joined", "left"] as const) {
      this.connection.on(method, (...args: string[]) => {
        this.heard.push([method, ...args]);
        this.#more.resolve();
        this.#more = Promise.withResolvers();
      });
    }
  }

  /** Connects to the node at `url`. */
  static async at(url: string, name?: string): Promise<Person> {
    const person = new Person(url, name);
    await bounded(person.connection.start());
    return person;
  }

  /** Calls a method of the hub. */
  call<T>(method: string, ...args: unknown[]): Promise<T> {
    return bounded(this.connection.invoke<T>(method, ...args));
  }

  /** Resolves once exactly that was heard. */
  async hears(...wanted: Heard): Promise<void> {
    const text = JSON.stringify(wanted);
    await bounded((async () => {
      while (!this.heard.some((heard) => JSON.stringify(heard) === text)) await this.#more.promise;
    })());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.stop();
    await this.#sockets.closed();
  }
}
