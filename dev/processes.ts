import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process and a proof that it is the same one: a pid alone is given to a stranger once its owner is gone. */
export interface ProcessId {
  readonly pid: number;
  /** When it began: on Linux the boot's id and the clock ticks since then, elsewhere what ps says. */
  readonly began: string;
}

/** Undefined when there is no such process, or only what is left of one that nobody has waited for. */
export function identify(pid: number): ProcessId | undefined {
  const began = process.platform === 'linux' ? beganOnLinux(pid) : beganByPs(pid);
  return began === undefined ? undefined : { pid, began };
}

export function isAlive(id: ProcessId): boolean {
  return identify(id.pid)?.began === id.began;
}

/** SIGKILL to that very process, never to another with its number; resolves when it is gone, or after `waitMs`. */
export async function endProcess(id: ProcessId, waitMs = 2_000): Promise<boolean> {
  if (!isAlive(id)) return false;
  signal(id.pid, 'SIGKILL');
  const until = performance.now() + waitMs;
  while (isAlive(id) && performance.now() < until) await delay(10);
  return true;
}

/** Sends a signal; that the process has just ended is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}

/** Field 22 of /proc/PID/stat (proc(5)); the second field, the name, may hold spaces and brackets. */
function beganOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    const ticks = fields[19];
    if (state === 'Z' || state === 'X' || ticks === undefined) return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${ticks}`;
  } catch {
    return undefined;
  }
}

function beganByPs(pid: number): string | undefined {
  try {
    const [state, ...began] = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
    return state === undefined || state.startsWith('Z') ? undefined : began.join(' ');
  } catch {
    return undefined;
  }
}
