/** Cases on a bus whose two ways are parted: both answer, and nothing that is published arrives. */
import { type ConformanceCase, defineCases } from "./case.ts";
import { bytes } from "./assert.ts";
import { reachesAgain } from "./trial.ts";

export const partedCases: readonly ConformanceCase[] = defineCases({
  async "a gap is reported when published messages no longer reach the subscriptions"(trial) {
    const [sender, receiver] = await trial.pair(trial.faults);
    const histories = [trial.history(sender), trial.history(receiver)];
    const inbox = trial.inbox();
    await receiver.subscribe("parted", inbox.handler).confirmed;
    await sender.publish("parted", bytes("before"));
    await inbox.heard("before");
    await trial.bus.part();
    const parted = Date.now();
    // The bus may accept this message, and it is lost.
    await sender.publish("parted", bytes("lost")).catch(() => {});
    for (const history of histories) await history.reaches("reconnecting");
    const noticed = Date.now();
    await trial.bus.rejoin();
    for (const history of histories) {
      await history.reaches("open");
      await history.reports(parted, noticed);
    }
    await reachesAgain(trial, sender, "parted", inbox);
  },
}, "part");
