import { assertEquals } from "@std/assert";
import { NatsBackplane } from "../../../backplanes/nats.ts";
import { KeptLog } from "../../kit/log.ts";
import { startNats } from "../../kit/servers/nats_server.ts";
import { bytes, Events, nextEvent, untilClosed, untilStatus } from "../../kit/wait.ts";

Deno.test("NatsBackplane logs once that its server is not there, and once that it came, in every outage", async () => {
  await using server = await startNats({ running: false });
  const logger = new KeptLog();
  await using backplane = new NatsBackplane(`nats://127.0.0.1:${server.port}`, { logger });
  const where = `NATS at 127.0.0.1:${server.port}`;
  const events = new Events<string>();
  const watch = (text: string | undefined) => text !== undefined && events.add(text);
  backplane.onStatus(({ error }) => watch(error?.message));
  await events.find((text) => text === `Cannot reach ${where}: connection refused`);
  const publish = () => backplane.publish("a", bytes("a")).catch(({ message }: Error) => message);
  assertEquals(await publish(), `Cannot reach ${where}: connection refused`);
  const outages: string[][] = [];
  for (let time = 0; time < 2; time++) {
    const open = untilStatus(backplane, "open");
    await server.start();
    await open;
    outages.push(logger.lines.splice(0));
    // The end is told first, and then that nobody answers.
    const refused = nextEvent(backplane, ({ error }) => /refused/.test(error?.message ?? ""));
    await server.stop();
    await refused;
  }
  const back = "warn Reached NATS: the backplane is open";
  assertEquals(outages, [
    [`error Cannot reach ${where}: connection refused; trying again`, back],
    ["error Lost the connection to NATS: the server closed it; trying again", back],
  ]);
});

Deno.test("NatsBackplane logs once that its login is refused, with the reason", async () => {
  await using server = await startNats({ args: ["--user", "ann", "--pass", "secret"] });
  const logger = new KeptLog();
  const url = `nats://ann:wrong@127.0.0.1:${server.port}`;
  await using backplane = new NatsBackplane(url, { logger });
  const { message } = await untilClosed(backplane);
  assertEquals(
    message,
    `Cannot reach NATS at 127.0.0.1:${server.port}: 'Authorization Violation'`,
  );
  assertEquals(logger.lines, [`error ${message}`]);
});
