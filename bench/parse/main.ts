/** `npm run bench -- parse`: what reading an event costs beside its JSON.parse. */
import { report } from '../support/report.ts';
import { measureParse } from './measure.ts';

await report('parse', (say) => Promise.resolve(measureParse({ events: 1_000, rounds: 200 }, say)));
