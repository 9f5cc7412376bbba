/** A test of ours: a file under `tests/` and the title in it, as it is written there. */
export interface OurTest {
  readonly file: string;
  readonly title: string;
}

/** What has become of a test of ASP.NET Core's. */
export interface UpstreamCase {
  /** Which of ours show what it shows, or what is otherwise. */
  readonly shownBy: readonly OurTest[];
  /** What is otherwise here on purpose. */
  readonly why?: string;
}

/** The tests of one of ASP.NET Core's classes by name. */
export type UpstreamSuite = Readonly<Record<string, UpstreamCase>>;

/** The file in which transcripts are replayed. */
export const TRANSCRIPTS_FILE = "nodes/wire/transcripts_test.ts";

/** Shown by tests. */
export function shown(...shownBy: readonly OurTest[]): UpstreamCase {
  return { shownBy };
}

/** Otherwise on purpose; the tests show what is. */
export function differs(why: string, ...shownBy: readonly OurTest[]): UpstreamCase {
  return { shownBy, why };
}

/** The replay of a transcript. */
export function transcript(title: string): OurTest {
  return { file: TRANSCRIPTS_FILE, title };
}

/** The tests of a file. */
export function testsIn(file: string): (title: string) => OurTest {
  return (title) => ({ file, title });
}
