import type { Liveness } from '../../tenants/liveness.ts';
import { html, type Piece } from '../pages/html.ts';
import { time } from '../pages/times.ts';
import { note } from './pieces.ts';

const OUT = {
  temporal: 'Temporal does not answer. What is asked for now may be done later.',
  worker: 'No worker answers. Start a worker; nothing is lost meanwhile.',
} as const;

/** Says as of when the states are known, when that is not now. Numbers of events are always those of now. */
export function livenessNote({ asOf, out }: Liveness): Piece {
  if (out === null) return null;
  const since = asOf === null ? 'States are as they were last written.' : html`States are as of ${time(asOf)}.`;
  return note('bad', html`<p id="as-of"><b>${OUT[out]}</b> ${since} Numbers of events are those of now.</p>`);
}
