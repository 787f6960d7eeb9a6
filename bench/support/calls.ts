import { z } from 'zod';
import type { Pipeline } from '../../test/support/pipeline.ts';

const report = z.object({
  sinceMs: z.number(),
  calls: z.number(),
  refused: z.number(),
  byClient: z.array(z.object({ key: z.string(), calls: z.number(), refused: z.number() })),
});
export type CallReport = z.infer<typeof report>;

/** The calls that the simulated Gladly has got since the mark before, and a new mark. */
export function markCalls(pipeline: Pipeline): Promise<CallReport> {
  return pipeline.control('POST', '/simulator/calls/mark', {}, report);
}

/** Of the clients whose name, which is their user's address and their user agent, is like that. */
export function callsOf({ byClient }: CallReport, isOurs: (client: string) => boolean) {
  const ours = byClient.filter(({ key }) => isOurs(key));
  const sum = (field: 'calls' | 'refused') => ours.reduce((total, client) => total + client[field], 0);
  return { calls: sum('calls'), refused: sum('refused') };
}
