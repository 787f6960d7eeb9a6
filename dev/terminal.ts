/** What the person at the terminal reads: few lines, and a word for whatever takes more than a second. */
export interface Terminal {
  say(line: string): void;
  /** Says what is being waited for, once that has taken a second. */
  waitingFor<T>(what: string, work: Promise<T>): Promise<T>;
}

const SILENT_MS = 1_000;

export function terminalOn(write: (text: string) => void): Terminal {
  const say = (line: string): void => write(`${line}\n`);
  return {
    say,
    async waitingFor(what, work) {
      const timer = setTimeout(() => say(`… ${what}`), SILENT_MS);
      try {
        return await work;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** Milliseconds, as a person says them. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
