/**
 * CPU times and memory of processes, from `/proc`.
 *
 * @module
 */

/** The unit of times in `/proc`, in microseconds: the same on every Linux. */
const TICK_MICROSECONDS = 10_000;

/** User and system time of a process since its start, in microseconds. */
export function cpuMicroseconds(pid: number): number {
  const [user = 0, system = 0] = cpuTicks(pid);
  return (user + system) * TICK_MICROSECONDS;
}

/** User time of a process since its start, in microseconds. */
export function userMicroseconds(pid: number): number {
  const [user = 0] = cpuTicks(pid);
  return user * TICK_MICROSECONDS;
}

function cpuTicks(pid: number): number[] {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // The name in brackets may contain spaces. utime and stime are the 12th and 13th after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 13).map(Number);
}

/** The resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  return Number(kibibytes ?? 0) * 1024;
}

/** The sum of a measure over processes. */
export function sumOf(measure: (pid: number) => number, pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + measure(pid), 0);
}
