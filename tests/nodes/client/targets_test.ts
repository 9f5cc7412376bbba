import { assertEquals } from "@std/assert";
import {
  type ClientProxy,
  defineHub,
  type HubCallerClients,
  type HubContext,
  HubError,
} from "../../../mod.ts";
import { onEachServer, type Serve } from "../../kit/servers/each_server.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";

interface Client {
  got(text: string): void;
}

type Context = HubContext<Client>;
type Target = (clients: HubCallerClients<Client>, ids: readonly string[]) => ClientProxy<Client>;

/** Whom each target reaches, when `a` calls: `a` and `b` are in `ab`, `b` and `c` in `bc`; `b` is user
 * `ben`, `c` and `d` are user `cid`. Twice means two copies. */
const TARGETS: Readonly<Record<string, readonly [reached: string, target: Target]>> = {
  "all": ["abcd", (clients) => clients.all],
  "allExcept([b, d])": ["ac", (clients, [, b = "", , d = ""]) => clients.allExcept([b, d])],
  "allExcept([])": ["abcd", (clients) => clients.allExcept([])],
  "caller": ["a", (clients) => clients.caller],
  "others": ["bcd", (clients) => clients.others],
  "client(b)": ["b", (clients, [, b = ""]) => clients.client(b)],
  "client(nobody)": ["", (clients) => clients.client("nobody")],
  "clients([b, c, nobody])": [
    "bc",
    (clients, [, b = "", c = ""]) => clients.clients([b, c, "nobody"]),
  ],
  "clients([])": ["", (clients) => clients.clients([])],
  "group(ab)": ["ab", (clients) => clients.group("ab")],
  "group(bc)": ["bc", (clients) => clients.group("bc")],
  "group(AB)": ["", (clients) => clients.group("AB")],
  "groups([ab, bc])": ["abbc", (clients) => clients.groups(["ab", "bc"])],
  "groups([])": ["", (clients) => clients.groups([])],
  "groupExcept(ab, [a])": ["b", (clients, [a = ""]) => clients.groupExcept("ab", [a])],
  "othersInGroup(ab)": ["b", (clients) => clients.othersInGroup("ab")],
  "othersInGroup(bc)": ["bc", (clients) => clients.othersInGroup("bc")],
  "user(ben)": ["b", (clients) => clients.user("ben")],
  "user(cid)": ["cd", (clients) => clients.user("cid")],
  "user(Ben)": ["", (clients) => clients.user("Ben")],
  "users([ben, cid])": ["bcd", (clients) => clients.users(["ben", "cid"])],
};

function makeHub(ids: readonly string[]) {
  return defineHub({
    methods: {
      async join({ groups, connectionId }: Context, group: string) {
        await groups.add(connectionId, group);
      },
      async leave({ groups, connectionId }: Context, group: string) {
        await groups.remove(connectionId, group);
      },
      async move({ groups }: Context, connectionId: string, from: string, to: string) {
        await groups.remove(connectionId, from);
        await groups.add(connectionId, to);
      },
      async send({ clients }: Context, name: string) {
        const [, target] = TARGETS[name] ?? [];
        if (target === undefined) throw new HubError(`There is no target ${name}`);
        await target(clients, ids).send("got", name);
        // Behind everything that was sent: who has this has had all.
        await clients.all.send("got", "fence");
      },
    },
  });
}

/** A node with the clients `a`, `b`, `c` and `d`, in their groups. */
async function startClients(serve: Serve) {
  const ids: string[] = [];
  const stack = new AsyncDisposableStack();
  const node = stack.use(
    await serve({
      hubs: { "/hub": makeHub(ids) },
      authenticate(request) {
        const id = new URL(request.url).searchParams.get("user");
        return id === null ? undefined : { id };
      },
    }),
  );
  const clients: SignalRClient[] = [];
  for (
    const [user, groups] of [["", "ab"], ["ben", "ab,bc"], ["cid", "bc"], ["cid", ""]] as const
  ) {
    const client = stack.use(await SignalRClient.connect(node.url(`/hub?user=${user}`)));
    for (const group of groups.split(",").filter(Boolean)) await client.invoke("join", group);
    ids.push(client.id);
    clients.push(client);
  }
  return { node, clients, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** What each client got up to its fence, as the letters of those that did. */
async function reached(clients: readonly SignalRClient[], expected: string): Promise<string> {
  let letters = "";
  for (const [n, client] of clients.entries()) {
    for (;;) {
      const [text] = await client.got.next();
      if (text === "fence") break;
      assertEquals(text, expected);
      letters += "abcd"[n];
    }
  }
  return letters;
}

onEachServer("clients reaches exactly those that each target names", async (serve) => {
  await using started = await startClients(serve);
  const { clients } = started;
  for (const [target, [expected]] of Object.entries(TARGETS)) {
    await clients[0]?.invoke("send", target);
    assertEquals(await reached(clients, target), expected, target);
  }
}).forEach((test) => Deno.test(test));

onEachServer(
  "server.hub().clients reaches the same from outside the hub's methods",
  async (serve) => {
    await using started = await startClients(serve);
    const { clients, node } = started;
    const outside = node.server.hub("/hub").clients;
    const [a = "", b = ""] = clients.map(({ id }) => id);
    const cases: readonly (readonly [expected: string, ClientProxy<Client>])[] = [
      ["abcd", outside.all],
      ["cd", outside.allExcept([a, b])],
      ["b", outside.client(b)],
      ["ab", outside.clients([a, b])],
      ["bc", outside.group("bc")],
      ["abbc", outside.groups(["ab", "bc"])],
      ["a", outside.groupExcept("ab", [b])],
      ["cd", outside.user("cid")],
      ["bcd", outside.users(["ben", "cid"])],
    ];
    for (const [n, [expected, proxy]] of cases.entries()) {
      await proxy.send("got", `${n}`);
      await outside.all.send("got", "fence");
      assertEquals(await reached(clients, `${n}`), expected, `case ${n}`);
    }
  },
).forEach((test) => Deno.test(test));

onEachServer(
  "groups.add() and remove() take effect by the time they resolve, for any connection",
  async (serve) => {
    await using started = await startClients(serve);
    const { clients, node } = started;
    const [a, b, c] = clients;
    const send = async () => {
      await a?.invoke("send", "group(ab)");
      return await reached(clients, "group(ab)");
    };
    await b?.invoke("leave", "ab");
    assertEquals(await send(), "a");
    await b?.invoke("leave", "ab");
    await b?.invoke("join", "ab");
    await b?.invoke("join", "ab");
    assertEquals(await send(), "ab");
    await a?.invoke("move", c?.id, "bc", "ab");
    assertEquals(await send(), "abc");
    const { groups } = node.server.hub("/hub");
    await groups.remove(a?.id ?? "", "ab");
    await groups.add(clients[3]?.id ?? "", "ab");
    assertEquals(await send(), "bcd");
  },
).forEach((test) => Deno.test(test));

onEachServer("a client that has gone is in no group and no user any more", async (serve) => {
  await using started = await startClients(serve);
  const { clients } = started;
  await clients[2]?.connection.stop();
  const left = clients.filter((_, n) => n !== 2);
  for (
    const [target, expected] of [["group(bc)", "b"], ["user(cid)", "d"], ["all", "abd"]] as const
  ) {
    await clients[0]?.invoke("send", target);
    // The third of those that are left is `d`.
    assertEquals((await reached(left, target)).replaceAll("c", "d"), expected, target);
  }
}).forEach((test) => Deno.test(test));
