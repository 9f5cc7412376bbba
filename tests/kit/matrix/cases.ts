/**
 * Every case of the matrix.
 *
 * @module
 */
import { CALLS, connects, invokes } from "./cases/calls.ts";
import { LIFE, reconnects } from "./cases/life.ts";
import { LIFE_AFAR } from "./cases/life_afar.ts";
import { REQUESTS } from "./cases/requests.ts";
import { RESULTS } from "./cases/results.ts";
import { calledBack, SENDING, SENDING_AFAR } from "./cases/sending.ts";
import { STREAMS, streams } from "./cases/streams.ts";
import { STREAMS_AFAR } from "./cases/streams_afar.ts";
import type { Case } from "./world.ts";

/** What takes place between clients of different nodes, where there are two. */
export const CASES_AFAR: readonly Case[] = [
  ...SENDING_AFAR,
  ...STREAMS_AFAR,
  ...RESULTS,
  ...LIFE_AFAR,
];

/** All. */
export const CASES: readonly Case[] = [
  ...CALLS,
  ...SENDING,
  ...STREAMS,
  ...REQUESTS,
  ...LIFE,
  ...CASES_AFAR,
];

/** One of each kind: connect, invoke, a call by the server, a stream, reconnect. */
export const SHORT: readonly Case[] = [connects, invokes, calledBack, streams, reconnects];

/** The lists by name, for pages, which cannot be handed a list. */
export const LISTS = { all: CASES, short: SHORT, afar: CASES_AFAR } as const;
