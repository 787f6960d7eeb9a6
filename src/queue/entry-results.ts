import { failureOf } from './errors.ts';
import { ACCEPTED, failed, type SendResult } from './sender.ts';

/** SQS's answer to a batch call. A call with status 200 may have failed some of its entries. */
export interface BatchAnswer {
  readonly Successful?: readonly { readonly Id?: string | undefined }[] | undefined;
  readonly Failed?:
    | readonly {
        readonly Id?: string | undefined;
        readonly Code?: string | undefined;
        readonly SenderFault?: boolean | undefined;
      }[]
    | undefined;
}

/** The results of `count` entries whose ids are their positions, in order. An entry that the answer does not name was not accepted. */
export function readEntryResults(count: number, answer: BatchAnswer): SendResult[] {
  const results = new Array<SendResult>(count).fill(NOT_NAMED);
  for (const { Id } of answer.Successful ?? []) place(results, Id, ACCEPTED);
  for (const { Id, Code, SenderFault } of answer.Failed ?? []) {
    place(results, Id, failed(failureOf(SenderFault === true ? 400 : 500, Code ?? 'unknown')));
  }
  return results;
}

const NOT_NAMED = failed({ kind: 'server', code: 'no result for this entry' });

function place(results: SendResult[], id: string | undefined, result: SendResult): void {
  const index = Number(id);
  if (id !== undefined && Number.isInteger(index) && index >= 0 && index < results.length) results[index] = result;
}
