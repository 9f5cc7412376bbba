import type { Cluster, ConnectionChannels, TokenListener } from "../bus/cluster.ts";
import type { Claim, ClaimMessage } from "../bus/node_messages.ts";
import { Candidacies } from "./candidacies.ts";
import { type ClaimContext, Claims } from "./claims.ts";
import { FirstUses } from "./first_uses.ts";
import type { Wanted } from "./seek.ts";
import { nodeTag, type VerifiedToken } from "./tokens.ts";

/** How late a client may be because connections are looked through once a second, in milliseconds. */
const HEARTBEAT = 1000;
/** How far this node may be wrong about the clock of another one before it asks that, in milliseconds. */
const DOUBT = 5000;

/** How far this node may be wrong about the clock of a node that it does not know, in milliseconds. */
const STRANGER = 60_000;

/** The options that {@link Homes} reads, in milliseconds. */
export interface HomesLimits {
  readonly disconnectTimeout: number;
  readonly handshakeTimeout: number;
}

/** The parts of a node that {@link Homes} needs. */
export interface HomesContext extends ClaimContext {
  readonly cluster:
    & Pick<Cluster, "tell" | "living" | "settled" | "status">
    & { watchTokens(listener: TokenListener): void };
  readonly channels: ConnectionChannels;
  /** The clock that this node's tokens are dated with, which never jumps. */
  readonly date: () => number;
}

/** A connection that this node cannot begin. */
export type ElsewhereOrNowhere =
  /** Another node has it, or had it; `undefined` if this node does not know which one. */
  | { readonly at: "elsewhere"; readonly node: string | undefined }
  /** It was here and has ended. */
  | { readonly at: "nowhere" };

/**
 * Where a connection is, as far as a node knows by itself. `fresh`: it may begin here; `asks` is whether
 * another node has to be asked first.
 */
export type Home = { readonly at: "fresh"; readonly asks: boolean } | ElsewhereOrNowhere;

/**
 * Where a connection is, when its beginning was tried. `here`: it begins here, and never again. `unknown`: the
 * node that has issued the token does not answer.
 */
export type Beginning = { readonly at: "here" } | { readonly at: "unknown" } | ElsewhereOrNowhere;

/** Stands for the home of a connection that has left this node. */
const UNKNOWN_NODE = "";
const FRESH = { at: "fresh", asks: false } as const;
const ASKING = { at: "fresh", asks: true } as const;
const HERE = { at: "here" } as const;
const NOWHERE = { at: "nowhere" } as const;
const UNKNOWN = { at: "unknown" } as const;
const ELSEWHERE = { at: "elsewhere", node: undefined } as const;

/** Another node that issues tokens. */
interface Issuer {
  readonly node: string;
  /** How far its clock is ahead of this node's, in milliseconds. */
  readonly ahead: number;
  /** When it has ended, as a date of this node; absent while it lives. */
  readonly ended?: number;
}

/**
 * Decides where the connection of a token begins. The node that has issued the token is the judge: it lets the
 * first node that asks begin, and tells that node's name to all others.
 */
export class Homes implements TokenListener {
  readonly #context: HomesContext;
  readonly #claims: Claims;
  readonly #candidacies: Candidacies;
  readonly #uses: FirstUses;
  readonly #ownTag: string;
  readonly #issuers = new Map<string, Issuer>();
  readonly #youth: number;
  readonly #tags = new Map<string, string>();

  /** A token may begin a connection for `disconnectTimeout` milliseconds, and up to one second more. */
  constructor(context: HomesContext, { disconnectTimeout, handshakeTimeout }: HomesLimits) {
    this.#context = context;
    this.#youth = disconnectTimeout + handshakeTimeout + STRANGER;
    this.#claims = new Claims(context);
    const { serverName, date } = context;
    const lifetime = disconnectTimeout + HEARTBEAT;
    this.#candidacies = new Candidacies(
      context,
      lifetime,
      () => this.#claims.newId(),
      (id) => this.#uses.set(id, serverName, date()),
    );
    this.#uses = new FirstUses(lifetime, context.date());
    this.#ownTag = nodeTag(context.serverName);
    context.cluster.watchTokens(this);
  }

  /** How many first uses are remembered. */
  get remembered(): number {
    return this.#uses.size;
  }

  /** The home of a connection that has begun on another node, or that this node has let begin there. */
  homeOf(id: string): string | undefined {
    const home = this.#uses.get(id);
    return home === this.#context.serverName || home === UNKNOWN_NODE ? undefined : home;
  }

  /** A connection has come from another node. */
  arrived(id: string): void {
    this.#use(id, this.#context.serverName);
  }

  /** A connection has left for another node. */
  left(id: string): void {
    this.#use(id, UNKNOWN_NODE);
  }

  /** What a search for a connection needs to know of its token. */
  wanted({ issuer: tag, issued }: VerifiedToken): Pick<Wanted, "issuer" | "isYoung"> {
    const { date } = this.#context;
    const issuer = this.#issuers.get(tag);
    // This node knows the home of a young connection whose token it has issued.
    const isYoung = tag !== this.#ownTag && date() - issued + (issuer?.ahead ?? 0) < this.#youth;
    return { issuer: issuer?.node, isYoung };
  }

  /** Where a connection is that is not here, as far as this node knows without asking. */
  find({ id, issuer: tag, issued }: VerifiedToken): Home {
    const { serverName, date } = this.#context;
    const home = this.#uses.get(id);
    if (home === serverName) return NOWHERE;
    if (home === UNKNOWN_NODE) return ELSEWHERE;
    if (home !== undefined) return { at: "elsewhere", node: home };
    if (tag === this.#ownTag) return this.#uses.isFresh(issued, date()) ? FRESH : ELSEWHERE;
    const issuer = this.#issuers.get(tag);
    if (issuer === undefined) return ELSEWHERE;
    const doubt = issuer.ended === undefined ? DOUBT : 0;
    return this.#uses.isFresh(issued - issuer.ahead, date(), doubt) ? ASKING : ELSEWHERE;
  }

  /** Begins the connection of a fresh token that this node has issued. */
  begin({ id }: VerifiedToken): Beginning {
    return this.#use(id, this.#context.serverName);
  }

  /**
   * Asks the node that has issued a fresh token for the hub whether its connection may begin here, or all nodes
   * if that one has gone. To be called once at a time for each token.
   */
  async claim(hub: string, token: VerifiedToken): Promise<Beginning> {
    const { id, issuer: tag, issued } = token;
    const issuer = this.#issuers.get(tag);
    if (issuer === undefined) return ELSEWHERE;
    const answer = issuer.ended === undefined
      ? await this.#claims.ask(issuer.node, id, issued)
      : "gone";
    if (answer === "late") return UNKNOWN;
    if (answer === "gone") return await this.#stand(hub, token, issuer.ahead);
    return answer.home === undefined ? ELSEWHERE : this.#use(id, answer.home);
  }

  /** Tries to begin the connection of a token whose issuer has gone. */
  async #stand(hub: string, { id, issued }: VerifiedToken, ahead: number): Promise<Beginning> {
    if (!this.#uses.isFresh(issued - ahead, this.#context.date())) return ELSEWHERE;
    const elected = await this.#candidacies.stand(hub, id);
    if (elected === "won") return HERE;
    return elected === "late" ? UNKNOWN : this.#use(id, elected.home);
  }

  lives(node: string, date: number): void {
    const ahead = date - this.#context.date();
    const tag = this.#tags.get(node) ?? nodeTag(node);
    this.#tags.set(node, tag);
    this.#issuers.set(tag, { node, ahead });
  }

  received(message: ClaimMessage): void {
    if (message.kind === "claimed") {
      this.#claims.answered(message);
      return this.#candidacies.answered(message);
    }
    const { id, node } = message;
    if (message.kind === "stand" && !this.#candidacies.answers(message)) return;
    const { serverName } = this.#context;
    const known = message.kind === "stand"
      ? this.#uses.get(message.connectionId)
      : this.#judge(message);
    // It has begun, and has left for a node that this one does not know.
    const home = known === UNKNOWN_NODE ? serverName : known;
    const answer = { kind: "claimed", id, node: serverName, home } as const;
    void this.#context.cluster.tell(node, answer);
  }

  ended(node: string): void {
    const tag = this.#tags.get(node);
    this.#tags.delete(node);
    const issuer = tag === undefined ? undefined : this.#issuers.get(tag);
    // Its tokens stay good.
    if (issuer !== undefined) {
      this.#issuers.set(nodeTag(node), { ...issuer, ended: this.#context.date() });
    }
    this.#claims.ended(node);
    this.#candidacies.ended(node);
  }

  /** Forgets what is due. Called by the heartbeat. */
  tick(): void {
    const now = this.#context.date();
    this.#uses.sweep(now);
    for (const [tag, { ended = now }] of this.#issuers) {
      if (now - ended > this.#youth) this.#issuers.delete(tag);
    }
  }

  /** Answers the requests that wait. */
  close(): void {
    this.#claims.close();
    this.#candidacies.close();
  }

  /**
   * The home of a connection whose token this node has issued: the node that asks, if there was none; no node
   * if the token is too old to begin a connection.
   */
  #judge({ node, connectionId, issued }: Claim): string | undefined {
    const now = this.#context.date();
    const home = this.#uses.get(connectionId);
    if (home !== undefined && home !== node) return home;
    // The home may have forgotten that the connection has begun there.
    if (!this.#uses.isFresh(issued, now)) return undefined;
    if (home === undefined) this.#uses.set(connectionId, node, now);
    return node;
  }

  #use(id: string, node: string): Beginning {
    const { serverName, date } = this.#context;
    this.#uses.set(id, node, date());
    return node === serverName ? HERE : { at: "elsewhere", node };
  }
}
