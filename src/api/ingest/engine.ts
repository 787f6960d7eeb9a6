import { Buffer } from 'node:buffer';
import { arrayElements, parseEvent } from '../../gladly/events.ts';
import { encodeDelivery } from '../../queue/envelope.ts';
import { isEndpointTrouble, type SendFailure } from '../../queue/errors.ts';
import type { EventSender } from '../../queue/sender.ts';
import type { AuthenticatedDelivery } from './authenticated.ts';
import type { Breaker } from './breaker.ts';
import type { DeliveryRecorder } from './delivery-recorder.ts';
import type { LedgerBatcher } from './ledger-batcher.ts';
import type { EngineOutcome } from './outcomes.ts';
import { STAT_TYPE } from './ports.ts';
import type { WakeNotifier } from './wake-notifier.ts';

export interface EngineDeps {
  readonly sender: EventSender;
  readonly breaker: Breaker;
  readonly ledger: LedgerBatcher;
  readonly wakes: WakeNotifier;
  readonly recorder: DeliveryRecorder;
  /** Called for each delivery that SQS did not accept; it is stored elsewhere, or its sender told to send it again. */
  readonly onFailure: (tenantId: string, failure: SendFailure) => void;
}

/** Stores authenticated deliveries durably. It is independent of HTTP. */
export interface IngestEngine {
  /**
   * Stores the delivery whatever its content. `queued`, `ledgered`: it is durable in SQS or in the ledger. `pinged`: Gladly's test call,
   * counted and not stored. `nowhere_to_keep`: neither SQS nor Postgres confirmed it. Never rejects.
   */
  take(delivery: AuthenticatedDelivery): Promise<EngineOutcome>;
}

/**
 * SQS first, unless the breaker is open, the tenant has no queue or the envelope is too large for SQS; then the ledger. When the ledger fails
 * and the breaker kept SQS from being tried, SQS is tried after all.
 */
export function createIngestEngine({ sender, breaker, ledger, wakes, recorder, onFailure }: EngineDeps): IngestEngine {
  async function take(delivery: AuthenticatedDelivery): Promise<EngineOutcome> {
    const { caller, body, acceptedAt } = delivery;
    const text = body.toString();
    const event = parseEvent(text);
    if (event.kind === 'several') return takeEach(delivery, arrayElements(text));
    if (event.kind === 'ping') {
      recorder.record(caller.tenantId, caller.keyId, STAT_TYPE.ping, acceptedAt);
      return 'pinged';
    }
    const outcome = await keep(delivery, event.kind !== 'not_json' && body[0] !== BYTE_ORDER_MARK);
    if (outcome !== 'nowhere_to_keep') {
      wakes.notify(caller.tenantId);
      recorder.record(caller.tenantId, caller.keyId, 'type' in event ? event.type : STAT_TYPE.notAnEvent, acceptedAt);
    }
    return outcome;
  }

  /** Each as a delivery of its own: all are durable, or the whole is sent again and those that are known are recognized. */
  async function takeEach(delivery: AuthenticatedDelivery, texts: readonly string[]): Promise<EngineOutcome> {
    const outcomes = await Promise.all(texts.map((text) => take({ ...delivery, body: Buffer.from(text) })));
    return WORST_FIRST.find((outcome) => outcomes.includes(outcome)) ?? 'nowhere_to_keep';
  }

  async function keep(delivery: AuthenticatedDelivery, isJson: boolean): Promise<EngineOutcome> {
    const { caller, body, acceptedAt } = delivery;
    const { tenantId, keyId, queueUrl } = caller;
    const encoded = encodeDelivery({ acceptedAt, keyId, body }, { isJson });
    const queue = queueUrl === null || encoded.kind === 'too_large' ? null : { url: queueUrl, ...encoded };
    const tried = queue !== null && breaker.mayTry();
    if (tried && (await send(tenantId, queue.url, queue.text, queue.bytes))) return 'queued';
    if (await ledger.put({ tenantId, keyId, acceptedAt, body })) return 'ledgered';
    // Postgres failed as well, so SQS is tried although the breaker is open.
    if (queue !== null && !tried && (await send(tenantId, queue.url, queue.text, queue.bytes))) return 'queued';
    return 'nowhere_to_keep';
  }

  async function send(tenantId: string, queueUrl: string, text: string, bytes: number): Promise<boolean> {
    const result = await sender.send(queueUrl, text, bytes);
    if (result.kind === 'failed') onFailure(tenantId, result.failure);
    if (result.kind === 'accepted') breaker.succeeded();
    else if (isEndpointTrouble(result.failure)) breaker.failed();
    // A refusal is about this queue, so SQS itself works. The other kinds never left this process and say nothing about SQS.
    else if (result.failure.kind === 'refused') breaker.succeeded();
    else breaker.undecided();
    return result.kind === 'accepted';
  }

  return { take };
}

const WORST_FIRST: readonly EngineOutcome[] = ['nowhere_to_keep', 'ledgered', 'queued', 'pinged'];
/** The first byte of one in UTF-8. It may stand before JSON, but not within the message (queue/envelope.ts). */
const BYTE_ORDER_MARK = 0xef;
