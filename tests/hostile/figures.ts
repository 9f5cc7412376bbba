import type { Usage } from "./measured_node.ts";

/** Whether figures are wanted: `HUBPLANE_FIGURES=1 deno task test tests/hostile`. */
const wanted = Deno.env.has("HUBPLANE_FIGURES");

/** Prints a line that `docs/security.md` quotes from. */
export function figure(text: string): void {
  if (wanted) Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** Prints what a node takes. */
export function report(label: string, { rssMiB, descriptors }: Usage): void {
  figure(`${label}: ${rssMiB} MiB, ${descriptors} descriptors`);
}
