import { frame, Opcode } from "../../kit/socket.ts";

/** The same bytes again and again, while no more than so many. */
export function repeated(bytes: Uint8Array, length: number): Uint8Array {
  const many = new Uint8Array(Math.floor(length / bytes.length) * bytes.length);
  for (let at = 0; at < many.length; at += bytes.length) many.set(bytes, at);
  return many;
}

/** `count` frames of the same payload, as bytes. */
export function frames(count: number, payload: Uint8Array | string): Uint8Array {
  const one = frame(typeof payload === "string" ? Opcode.Text : Opcode.Binary, payload);
  return repeated(one, count * one.length);
}
