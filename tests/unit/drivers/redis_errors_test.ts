import { assertEquals } from "@std/assert";
import { isAnswer, isIncurable, isRefusal, reasonOf } from "../../../backplanes/redis/errors.ts";

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: "ReplyError" });
}

for (
  const [message, answer, refusal] of [
    ["MISCONF Redis is configured to save RDB snapshots", true, true],
    ["ERR unknown command 'PING'", true, true],
    ["BUSYGROUP Consumer Group name already exists", true, true],
    ["NOPERM this user has no permissions to access one of the channels", false, true],
    ["NOAUTH Authentication required.", false, false],
    ["WRONGPASS invalid username-password pair", false, false],
    ["DENIED Redis is running in protected mode", false, false],
    ["LOADING Redis is loading the dataset in memory", false, false],
    ["MASTERDOWN Link with MASTER is down", false, false],
    ["BUSY Redis is busy running a script.", false, false],
    ["ERR max number of clients reached", false, false],
  ] as const
) {
  Deno.test(`isAnswer() and isRefusal() know ${message.split(" ", 1)}: ${message}`, () => {
    const error = reply(message);
    assertEquals([isAnswer(error), isRefusal(error)], [answer, refusal]);
  });
}

Deno.test("isAnswer() and isRefusal() take nothing for an answer that Redis did not say", () => {
  for (
    const error of [new RangeError("Maximum call stack size exceeded"), new Error("MISCONF"), 1]
  ) {
    assertEquals([isAnswer(error), isRefusal(error)], [false, false]);
  }
  assertEquals(isIncurable(reply("LOADING Redis is loading")), false);
});

Deno.test("reasonOf() says in words why a connection failed", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:6379"), {
    code: "ECONNREFUSED",
  });
  assertEquals(reasonOf(refused), "connection refused");
  for (
    const text of [
      "Connection is closed.",
      "Stream isn't writeable and enableOfflineQueue options is false",
    ]
  ) assertEquals(reasonOf(new Error(text)), "the connection was closed");
  assertEquals(reasonOf(new Error("no answer within 3000 ms")), "no answer within 3000 ms");
});
