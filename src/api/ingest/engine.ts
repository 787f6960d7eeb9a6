import { parseEvent } from '../../gladly/events.ts';
import { sealDelivery } from '../../queue/envelope.ts';
import { isEndpointTrouble } from '../../queue/errors.ts';
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
}

/** Makes deliveries durable. It knows neither HTTP nor who asks, only that the delivery is authenticated. */
export interface IngestEngine {
  /** `queued` and `ledgered` are promises: the delivery is durable. It is never refused for what it says. Never throws. */
  take(delivery: AuthenticatedDelivery): Promise<EngineOutcome>;
}

export function createIngestEngine({ sender, breaker, ledger, wakes, recorder }: EngineDeps): IngestEngine {
  async function take(delivery: AuthenticatedDelivery): Promise<EngineOutcome> {
    const { caller, body, acceptedAt } = delivery;
    const event = parseEvent(body.toString());
    if (event.kind === 'ping') {
      recorder.record(caller.tenantId, caller.keyId, STAT_TYPE.ping, acceptedAt);
      return 'pinged';
    }
    const outcome = await keep(delivery, event.kind !== 'not_json');
    if (outcome !== 'nowhere_to_keep') {
      wakes.notify(caller.tenantId);
      recorder.record(caller.tenantId, caller.keyId, 'type' in event ? event.type : STAT_TYPE.notAnEvent, acceptedAt);
    }
    return outcome;
  }

  async function keep(delivery: AuthenticatedDelivery, isJson: boolean): Promise<EngineOutcome> {
    const { caller, body, acceptedAt } = delivery;
    const { tenantId, keyId, queueUrl } = caller;
    const sealed = sealDelivery({ acceptedAt, keyId, body }, { isJson });
    const queue = queueUrl === null || sealed.kind === 'too_large' ? null : { url: queueUrl, ...sealed };
    const tried = queue !== null && breaker.mayTry();
    if (tried && (await send(queue.url, queue.text, queue.bytes))) return 'queued';
    if (await ledger.put({ tenantId, keyId, acceptedAt, body })) return 'ledgered';
    // Postgres is out as well: then SQS is worth a try even if it was out a moment ago.
    if (queue !== null && !tried && (await send(queue.url, queue.text, queue.bytes))) return 'queued';
    return 'nowhere_to_keep';
  }

  async function send(queueUrl: string, text: string, bytes: number): Promise<boolean> {
    const result = await sender.send(queueUrl, text, bytes);
    if (result.kind === 'accepted') breaker.succeeded();
    else if (isEndpointTrouble(result.failure)) breaker.failed();
    // SQS answered, if only to refuse this queue; what never left this process says nothing about SQS.
    else if (result.failure.kind === 'refused') breaker.succeeded();
    else breaker.undecided();
    return result.kind === 'accepted';
  }

  return { take };
}
