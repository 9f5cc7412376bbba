import type { Usage } from "./measured_node.ts";

/** Whether figures are wanted: `HUBPLANE_FIGURES=1 deno task test tests/farm/hostile`. */
export const wanted: boolean = Deno.env.has("HUBPLANE_FIGURES");

/** Prints a line, if figures are wanted; `figures_test.ts` those that `docs/security.md` quotes. */
export function figure(text: string): void {
  if (wanted) Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** Prints what a node takes. */
export function report(label: string, { rssMiB, descriptors }: Usage): void {
  figure(`${label}: ${rssMiB} MiB, ${descriptors} descriptors`);
}
