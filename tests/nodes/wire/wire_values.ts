import type { WireContext } from "./wire_hub.ts";

/** 90 s in the unit of .NET, a ten-millionth of a second. */
const TICKS = 900_000_000;

/** Methods that return what .NET's types are on the wire in MessagePack. `specs/signalr-wire.md §8.4` */
export const valueMethods = {
  GetGuid: (_context: WireContext) => "01020304-0506-0708-090a-0b0c0d0e0f10",
  GetColor: (_context: WireContext) => "Green",
  GetFloat: (_context: WireContext) => 1.5,
  GetDouble: (_context: WireContext) => 1.5,
  GetDate: (_context: WireContext) => new Date("2026-01-02T03:04:05Z"),
  GetOffset: (_context: WireContext) => [new Date("2026-01-02T03:04:05Z"), 120],
  GetSpan: (_context: WireContext) => TICKS,
  GetDecimal: (_context: WireContext) => "1.50",
  GetBytes: (_context: WireContext) => new Uint8Array([1, 2, 255]),
  GetMap: (_context: WireContext) => ({ KeyA: 1 }),
  GetMixed: (_context: WireContext) => [1, "a", null, true],
};
