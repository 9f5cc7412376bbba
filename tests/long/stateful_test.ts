/**
 * Sockets of stateful clients that are cut forty times.
 *
 * @module
 */
import { importTests } from "./import_tests.ts";

Deno.env.set("HUBPLANE_FULL", "1");
await importTests("buses/stateful");
