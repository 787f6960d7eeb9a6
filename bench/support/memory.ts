import { readFileSync } from 'node:fs';

/** What the process holds in memory (VmRSS of proc(5)), in whole megabytes; 0 when it is not there. */
export function residentMb(pid: number | undefined): number {
  try {
    const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Math.round(Number(kilobytes ?? 0) / 1_024);
  } catch {
    return 0;
  }
}
