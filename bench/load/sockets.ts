/**
 * TCP sockets and epoll of the C library, called directly: one process can then receive far
 * more messages than the measured servers can send. Linux only, like the whole benchmark.
 *
 * @module
 */

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
} as const;

const AF_INET = 2;
const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
/** The most events taken in one call. */
const BATCH = 256;
/** `struct epoll_event` is packed on x86-64 alone. */
const EVENT_BYTES = Deno.build.arch === "x86_64" ? 12 : 16;
const EVENT_SOCKET = EVENT_BYTES - 8;

/** The events of sockets. */
export interface SocketListener {
  /** Bytes have arrived; the view is overwritten when this method returns. */
  received(socket: number, bytes: Uint8Array<ArrayBuffer>): void;
  /** The peer has closed, or the connection is broken. */
  ended(socket: number): void;
}

/** Sockets to loopback. All calls are synchronous; {@link poll} waits. */
export class Sockets {
  readonly #library = Deno.dlopen("libc.so.6", SYMBOLS);
  readonly #c = this.#library.symbols;
  readonly #epoll = this.#c.epoll_create1(0);
  readonly #events = new Uint8Array(EVENT_BYTES * BATCH);
  readonly #eventView = new DataView(this.#events.buffer);
  readonly #buffer = new Uint8Array(256 * 1024);

  /** Connects to a port of loopback. */
  open(port: number): number {
    const { socket, connect, setsockopt, epoll_ctl } = this.#c;
    const fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) throw new Error("Cannot open socket: too many are open (see ulimit -n)");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, new Uint8Array([1, 0, 0, 0]), 4);
    const address = new Uint8Array(16);
    address.set([AF_INET, 0, port >> 8, port & 255, 127, 0, 0, 1]);
    if (connect(fd, address, 16) !== 0) {
      this.close(fd);
      throw new Error(`Cannot connect to port ${port}`);
    }
    const event = new Uint8Array(EVENT_BYTES);
    const view = new DataView(event.buffer);
    view.setUint32(0, EPOLLIN, true);
    view.setInt32(EVENT_SOCKET, fd, true);
    epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, event);
    return fd;
  }

  /** Sends all of `bytes`. Messages are small, so a full buffer is an error. */
  send(socket: number, bytes: Uint8Array<ArrayBuffer>, length: number = bytes.length): void {
    const sent = Number(this.#c.send(socket, bytes, BigInt(length), MSG_DONTWAIT | MSG_NOSIGNAL));
    if (sent !== length) throw new Error(`Cannot send: ${sent} of ${length} bytes were taken`);
  }

  /** Closes a socket. */
  close(socket: number): void {
    this.#c.close(socket);
  }

  /** Waits at most `timeout` milliseconds and reports events; returns the number of events. */
  poll(timeout: number, listener: SocketListener): number {
    const count = this.#c.epoll_wait(this.#epoll, this.#events, BATCH, timeout);
    for (let i = 0; i < count; i++) {
      const socket = this.#eventView.getInt32(i * EVENT_BYTES + EVENT_SOCKET, true);
      this.#receive(socket, listener);
    }
    return count;
  }

  #receive(socket: number, listener: SocketListener): void {
    const buffer = this.#buffer;
    const length = Number(
      this.#c.recv(socket, buffer, BigInt(buffer.length), MSG_DONTWAIT | MSG_NOSIGNAL),
    );
    if (length > 0) listener.received(socket, buffer.subarray(0, length));
    // No bytes: the event belongs to a closed socket whose number is in use again.
    // An error is reported once; after it, the end.
    else if (length === 0) listener.ended(socket);
  }
}
