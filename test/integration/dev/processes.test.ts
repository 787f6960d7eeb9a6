import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { endProcess, identify, isAlive } from '../../../dev/processes.ts';
import { RunFolder } from '../../../dev/run-folder.ts';
import { scratchFolder } from '../../support/dev-world.ts';

function sleeper(): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child.pid ?? -1;
}

describe('a process is known by more than its number', () => {
  test('one that runs is alive, one that was killed is not', async () => {
    const id = identify(sleeper());
    if (id === undefined) throw new Error('it does not run');
    expect(isAlive(id)).toBe(true);
    expect(await endProcess(id)).toBe(true);
    expect(isAlive(id)).toBe(false);
    expect(await endProcess(id)).toBe(false);
  });

  test('a stranger with the same number is left alone', async () => {
    const pid = sleeper();
    expect(await endProcess({ pid, began: 'some-earlier-boot/12345' })).toBe(false);
    expect(identify(pid)).toBeDefined();
  });
});

describe('the run folder', () => {
  test('ends what an earlier start has left, and nobody else', async () => {
    const dataDir = scratchFolder();
    const run = new RunFolder(dataDir);
    const [left, stranger] = [sleeper(), sleeper()];
    run.note('left', left);
    writeFileSync(join(run.path, 'stranger.pid'), JSON.stringify({ pid: stranger, began: 'another-boot/1' }));
    writeFileSync(join(run.path, 'damaged.pid'), '{"pid": 1');

    expect(await new RunFolder(dataDir).endAll()).toEqual(['left']);
    expect(identify(left)).toBeUndefined();
    expect(identify(stranger)).toBeDefined();
    expect(readdirSync(run.path).filter((file) => file.endsWith('.pid'))).toEqual([]);
  });

  test('is held by one process at a time, and free again once that is killed', async () => {
    const run = new RunFolder(scratchFolder());
    const holder = spawn(
      process.execPath,
      [
        ...['--input-type=module-typescript', '-e'],
        `import { RunFolder } from '${join(import.meta.dirname, '../../../dev/run-folder.ts')}';
         const lock = new RunFolder('${join(run.path, '..')}').lock();
         process.stdout.write(lock ? 'held' : 'refused'); setInterval(() => lock, 1000);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    onTestFinished(() => void holder.kill('SIGKILL'));
    expect(String(await once(holder.stdout, 'data'))).toBe('held');
    expect(run.lock()).toBeUndefined();
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const lock = run.lock();
    expect(lock).toBeDefined();
    expect(new RunFolder(join(run.path, '..')).lock()).toBeUndefined();
    lock?.release();
    expect(run.lock()).toBeDefined();
  });
});
