/**
 * All attacks in full size, with thirty times as many random tries; prints figures. Takes half an hour
 * or more.
 *
 * @module
 */
import { importTests } from "./import_tests.ts";

Deno.env.set("HUBPLANE_FULL", "1");
Deno.env.set("HUBPLANE_FIGURES", "1");
if (!Deno.env.has("HUBPLANE_HOSTILE_EFFORT")) Deno.env.set("HUBPLANE_HOSTILE_EFFORT", "30");
await importTests("farm/hostile");
