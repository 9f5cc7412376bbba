// Discrete-event core and a bus like Redis: one FIFO a connection, nothing kept.

export class Rng {
  constructor(private a: number) {}
  next(): number {
    let t = (this.a = (this.a + 0x6d2b79f5) | 0);
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  int(n: number): number {
    return Math.floor(this.next() * n);
  }
  pick<T>(a: readonly T[]): T {
    return a[this.int(a.length)];
  }
  chance(p: number): boolean {
    return this.next() < p;
  }
}

type Ev = { t: number; q: number; f: () => void };
export class Sim {
  now = 0;
  #q = 0;
  #h: Ev[] = [];
  trace?: string[];
  constructor(readonly rng: Rng) {}
  log(s: string): void {
    this.trace?.push(`${(this.now / 1000).toFixed(3)} ${s}`);
  }
  at(t: number, f: () => void): void {
    const h = this.#h, e = { t, q: this.#q++, f };
    let i = h.length;
    h.push(e);
    while (i > 0) {
      const p = (i - 1) >> 1;
      if (h[p].t < t || (h[p].t === t && h[p].q < e.q)) break;
      h[i] = h[p];
      i = p;
    }
    h[i] = e;
  }
  run(until: number): void {
    const h = this.#h;
    while (h.length && h[0].t <= until) {
      const top = h[0], e = h.pop()!;
      if (h.length) {
        let i = 0;
        for (;;) {
          let c = 2 * i + 1;
          if (c >= h.length) break;
          if (c + 1 < h.length && less(h[c + 1], h[c])) c++;
          if (!less(h[c], e)) break;
          h[i] = h[c];
          i = c;
        }
        h[i] = e;
      }
      this.now = top.t;
      top.f();
    }
    this.now = until;
  }
}
const less = (a: Ev, b: Ev) => a.t < b.t || (a.t === b.t && a.q < b.q);

/** What runs a node's code: a paused node does everything later, a dead one nothing. */
export class Host {
  dead = false;
  paused = false;
  #later: (() => void)[] = [];
  constructor(readonly sim: Sim, readonly name: string) {}
  after(ms: number, f: () => void): void {
    this.sim.at(this.sim.now + ms, () => this.exec(f));
  }
  exec(f: () => void): void {
    if (this.dead) return;
    if (this.paused) this.#later.push(f);
    else f();
  }
  resume(): void {
    this.paused = false;
    const l = this.#later;
    this.#later = [];
    for (const f of l) this.exec(f);
  }
}

export class Bus {
  up = true;
  epoch = 0;
  conns = new Set<SubConn>();
  /** Messages that the bus is to lose on its way to a node. */
  lose = new Map<string, number>();
  onRoute?: (channel: string, m: unknown) => void;
  onLoss?: (to: string, channel: string, m: unknown) => void;
  constructor(readonly sim: Sim) {}
  route(channel: string, m: unknown): number {
    this.onRoute?.(channel, m);
    let n = 0;
    for (const c of this.conns) {
      if (!c.channels.has(channel)) continue;
      n++;
      const k = this.lose.get(c.host.name) ?? 0;
      if (k > 0 && c.host.name !== (m as { s?: string }).s) {
        this.lose.set(c.host.name, k - 1);
        this.sim.log(`bus loses ${channel} ${JSON.stringify(m)} to ${c.host.name}`);
        this.onLoss?.(c.host.name, channel, m);
        continue;
      }
      c.out(() => c.onMessage(channel, m));
    }
    return n;
  }
  restart(down: number): void {
    this.up = false;
    this.epoch++;
    this.conns.clear();
    this.sim.log("bus dies");
    this.sim.at(this.sim.now + down, () => {
      this.up = true;
      this.sim.log("bus is up");
    });
  }
}

const lat = (sim: Sim) => 1 + sim.rng.next() * (sim.rng.chance(0.05) ? 60 : 5);

/** The publishing connection. The callback says: accepted (true) or unknown (false). */
export class PubConn {
  open = false;
  #gen = 0;
  #epoch = -1;
  #cut = { cut: false, late: false, at: 0 };
  #in = 0;
  #back = 0;
  #flight: ((ok: boolean, count: number) => void)[] = [];
  constructor(readonly bus: Bus, readonly host: Host, readonly onOpen: () => void) {
    this.#connect(1 + bus.sim.rng.int(5));
  }
  #connect(ms: number): void {
    this.host.after(ms, () => {
      if (!this.bus.up) return this.#connect(50 + this.bus.sim.rng.int(450));
      this.open = true;
      this.#gen++;
      this.#epoch = this.bus.epoch;
      this.#cut = { cut: false, late: false, at: 0 };
      this.#in = this.#back = 0;
      this.#watch(this.#gen);
      this.onOpen();
    });
  }
  /** A dead bus is noticed after a while, like a hang. */
  #watch(gen: number): void {
    this.host.after(40, () => {
      if (gen !== this.#gen || !this.open) return;
      if (this.bus.epoch !== this.#epoch) this.#lost(gen);
      else this.#watch(gen);
    });
  }
  #lost(gen: number): void {
    if (gen !== this.#gen || !this.open) return;
    this.open = false;
    const f = this.#flight;
    this.#flight = [];
    for (const cb of f) cb(false, 0);
    this.#connect(10 + this.bus.sim.rng.int(700));
  }
  cut(late: boolean, notice: number): void {
    if (!this.open || this.#cut.cut) return;
    this.#cut.cut = true;
    this.#cut.late = late;
    this.bus.sim.log(`${this.host.name} publisher cut`);
    const gen = this.#gen;
    this.host.after(notice, () => this.#lost(gen));
  }
  publish(channel: string, m: unknown, cb?: (ok: boolean, count: number) => void): void {
    const sim = this.bus.sim, c = this.#cut, epoch = this.#epoch;
    const done = cb ?? (() => {});
    this.#flight.push(done);
    const cutBefore = c.cut;
    this.#in = Math.max(this.#in, sim.now + lat(sim));
    const arrive = () => {
      if (epoch !== this.bus.epoch || !this.bus.up) return;
      if (c.cut && !(c.late && !cutBefore)) return;
      const n = this.bus.route(channel, m);
      this.#back = Math.max(this.#back, sim.now + lat(sim));
      sim.at(this.#back, () => {
        if (c.cut || epoch !== this.bus.epoch) return;
        this.host.exec(() => {
          const i = this.#flight.indexOf(done);
          if (i >= 0) {
            this.#flight.splice(i, 1);
            done(true, n);
          }
        });
      });
    };
    // What a cut connection had sent may be read by the bus later than what the next one sends.
    sim.at(
      this.#in,
      () =>
        c.cut && c.late
          ? sim.at(c.at = Math.max(c.at, sim.now + sim.rng.int(400)), arrive)
          : arrive(),
    );
  }
}

/** The subscribing connection: wanted channels come back by themselves; then `onGap`. */
export class SubConn {
  open = false;
  channels = new Set<string>();
  wanted = new Map<string, "asked" | "on">();
  #gen = 0;
  #epoch = -1;
  #cut = false;
  #in = 0;
  #out = 0;
  #first = true;
  constructor(
    readonly bus: Bus,
    readonly host: Host,
    readonly on: {
      message(channel: string, m: unknown): void;
      asked(channel: string, busTime: number): void;
      confirmed(channel: string): void;
      away(): void;
      open(gap: boolean): void;
    },
  ) {
    this.#connect(1 + bus.sim.rng.int(5));
  }
  onMessage(channel: string, m: unknown): void {
    this.on.message(channel, m);
  }
  get settled(): boolean {
    return this.open;
  }
  #connect(ms: number): void {
    this.host.after(ms, () => {
      if (!this.bus.up) return this.#connect(50 + this.bus.sim.rng.int(450));
      this.#gen++;
      this.#epoch = this.bus.epoch;
      this.#cut = false;
      this.#in = this.#out = 0;
      this.#live = true;
      this.channels = new Set();
      this.bus.conns.add(this);
      this.#watch(this.#gen);
      for (const c of this.wanted.keys()) this.#ask(c);
      this.#check();
    });
  }
  #live = false;
  #confirmed = new Set<string>();
  #watch(gen: number): void {
    this.host.after(40, () => {
      if (gen !== this.#gen || !this.#live) return;
      if (this.bus.epoch !== this.#epoch) this.#lost(gen);
      else this.#watch(gen);
    });
  }
  #lost(gen: number): void {
    if (gen !== this.#gen || !this.#live) return;
    this.#live = this.open = false;
    this.#confirmed.clear();
    this.bus.conns.delete(this);
    this.on.away();
    this.#connect(10 + this.bus.sim.rng.int(700));
  }
  cut(notice: number): void {
    if (!this.#live || this.#cut) return;
    this.#cut = true;
    this.bus.conns.delete(this);
    this.bus.sim.log(`${this.host.name} subscriber cut`);
    const gen = this.#gen;
    this.host.after(notice, () => this.#lost(gen));
  }
  out(f: () => void): void {
    const sim = this.bus.sim, gen = this.#gen, epoch = this.#epoch;
    this.#out = Math.max(this.#out, sim.now + lat(sim));
    sim.at(this.#out, () => {
      if (gen !== this.#gen || this.#cut || epoch !== this.bus.epoch) return;
      this.host.exec(() => {
        if (gen === this.#gen && this.#live) f();
      });
    });
  }
  #ask(c: string): void {
    const sim = this.bus.sim, gen = this.#gen;
    this.#in = Math.max(this.#in, sim.now + lat(sim));
    sim.at(this.#in, () => {
      if (gen !== this.#gen || this.#cut || this.#epoch !== this.bus.epoch || !this.bus.up) return;
      this.channels.add(c);
      const busTime = sim.now;
      this.out(() => {
        if (!this.wanted.has(c)) return;
        this.wanted.set(c, "on");
        this.#confirmed.add(c);
        this.on.asked(c, busTime);
        this.on.confirmed(c);
        this.#check();
      });
    });
  }
  #check(): void {
    if (this.open || !this.#live) return;
    for (const c of this.wanted.keys()) if (!this.#confirmed.has(c)) return;
    this.open = true;
    const gap = !this.#first;
    this.#first = false;
    this.on.open(gap);
  }
  subscribe(c: string): void {
    this.wanted.set(c, "asked");
    if (this.#live) this.#ask(c);
  }
  unsubscribe(c: string): void {
    this.wanted.delete(c);
    this.#confirmed.delete(c);
    const sim = this.bus.sim, gen = this.#gen;
    if (!this.#live) return;
    this.#in = Math.max(this.#in, sim.now + lat(sim));
    sim.at(this.#in, () => {
      if (gen === this.#gen) this.channels.delete(c);
    });
    this.#check();
  }
}
