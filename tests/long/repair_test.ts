/**
 * The simulated farms of the repairs, with 120,000 seeds.
 *
 * @module
 */
import { importTests } from "./import_tests.ts";

Deno.env.set("HUBPLANE_FULL", "1");
await importTests("unit/bus", "repair_farm_test.ts");
