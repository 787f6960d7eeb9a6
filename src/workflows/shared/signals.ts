import { log, type SignalDefinition, setDefaultSignalHandler, setHandler } from '@temporalio/workflow';
import { isUnreadable } from '../../contracts/unreadable.ts';

/** Sets the handler of a signal. `read` makes an event of its input, whatever that is; null: it does not say what it should, and is ignored. */
export type OnSignal<E> = <Args extends unknown[]>(
  signal: SignalDefinition<Args>,
  description: string,
  read: (given: unknown) => E | null,
) => void;

/**
 * Handlers of signals. Any client of Temporal can send one, of any name and with any input, and an exception would fail the workflow task again and
 * again: what is not understood is told to `ignored`, with its name and why, and nothing else comes of it. Handlers only set state:
 * asynchronous ones lose signals over continue-as-new.
 */
export function signalHandlers<E>(on: (event: E) => void, ignored: (what: string) => void): OnSignal<E> {
  const tell = (what: string): void => {
    log.warn('signal: ignored', { event: 'signal.ignored', signal: what });
    ignored(what);
  };
  return (signal, description, read) => {
    const handler = (...[given]: unknown[]): void => {
      const event = isUnreadable(given) ? null : read(given);
      if (event !== null) on(event);
      else
        tell(
          `${signal.name}, which ${isUnreadable(given) ? `cannot be read: ${given.why}` : 'does not say what it should'}`,
        );
    };
    setHandler(signal as SignalDefinition<unknown[]>, handler, { description });
  };
}

/** Call it when all handlers are set: it is given all that came before it. A renamed signal would vanish without a word. */
export function onUnknownSignal(ignored: (name: string) => void): void {
  setDefaultSignalHandler((name) => {
    log.warn('signal: unknown', { event: 'signal.unknown', signal: name });
    ignored(name);
  });
}
