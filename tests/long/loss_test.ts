/**
 * Every fault of a bus, twenty times; prints the fates of all messages.
 *
 * @module
 */
import { importTests } from "./import_tests.ts";

Deno.env.set("HUBPLANE_FULL", "1");
if (!Deno.env.has("LOSS_RUNS")) Deno.env.set("LOSS_RUNS", "20");
await importTests("buses/redis", "loss_test.ts");
await importTests("buses/nats", "loss_test.ts");
await importTests("buses/repair");
