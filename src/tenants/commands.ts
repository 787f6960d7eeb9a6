import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Config } from '../config.ts';
import { ApiError } from '../contracts/api-error.ts';
import type { Request } from '../contracts/extraction.ts';
import type { CancelRequest, WebhookSetup } from '../contracts/onboarding.ts';
import { problemRemedy, problemSentence } from '../contracts/problems.ts';
import { type TenantId, webhookUrl } from '../contracts/tenant.ts';
import { parseGladlyHost } from '../gladly/host.ts';
import type { QueueUrls } from '../queue/names.ts';
import { type Queues, totalOf } from '../queue/provision.ts';
import type { Receiver } from '../queue/receiver.ts';
import { recordAction } from '../store/actions.ts';
import { deleteOlderCredentials, putCredentials } from '../store/credentials.ts';
import type { Db } from '../store/db.ts';
import { orderDrains } from '../store/drains.ts';
import { StoreError } from '../store/errors.ts';
import { eventCounts } from '../store/ledger/counters.ts';
import { discardRejected } from '../store/ledger/rejected.ts';
import { removeTenant } from '../store/removal.ts';
import type { SecretBox } from '../store/secret-box.ts';
import { readTenantFacts, type TenantState } from '../store/tenant-states.ts';
import { createTenant, getTenant, type RetentionPolicy, type Tenant, withdrawConnectLinks } from '../store/tenants.ts';
import { issueWebhookKey } from '../store/webhook-keys.ts';
import { type ConnectLinks, LINK_LIFE_MS } from './connect-links.ts';
import { recordQueue, recordSetAside } from './findings.ts';
import { waitsSince } from './loss.ts';
import { mendQueue } from './mend-queue.ts';
import { changeTenant } from './projection.ts';
import { queueProblem } from './queue-problem.ts';
import { type Redriven, type RedriveOptions, redrive } from './redrive.ts';
import { onboardingInput, tuningsOf } from './tuning.ts';
import type { TenantWorkflows } from './workflows.ts';

/** How long an old webhook key works after a new one was made, if the new one is not seen in use before. */
const KEY_CHANGE_OVER_MS = 7 * 86_400_000;

/** How long a link may change a tenant that is connected: time to find the colleague who is Gladly's administrator. */
const CHANGES_MS = 3 * 86_400_000;

/** A healthy worker acts within some 50 ms; the caller waits no longer than this. */
const SEEN_MS = 1_000;
const SEEN_LOOK_MS = 25;

const DAY_MS = 86_400_000;
/** Events that are this close to their deletion are not safe: SQS takes up to 15 minutes to change a retention. */
const LOSS_MARGIN_MS = 3_600_000;
/** Whoever has the connect link, in the history. */
export const BY_CUSTOMER = 'customer';

export interface NewTenant {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly retentionDays: number;
  readonly webhookSetup: WebhookSetup;
  readonly startPaused: boolean;
}

/** What an operator may change. */
export interface TenantEdit {
  readonly retentionDays?: number | undefined;
  readonly retentionPolicy?: RetentionPolicy | undefined;
  readonly name?: string | undefined;
  /** A shorter retention may delete events that wait in the queue. */
  readonly discardWaitingEvents?: boolean | undefined;
}

export interface Credentials {
  readonly domain: string;
  readonly email: string;
  readonly apiToken: string;
  readonly webhookSetup?: WebhookSetup | undefined;
}

export interface TenantsDeps {
  readonly db: Db;
  readonly secretBox: SecretBox;
  readonly queues: Queues;
  readonly receiver: Receiver;
  readonly workflows: TenantWorkflows;
  readonly links: ConnectLinks;
  readonly config: Config;
}

type LinkOwner = Pick<Tenant, 'tenantId' | 'incarnation' | 'connectLinkEpoch'>;

/** All that can be done to tenants, for the operators' API and the pages alike. Each throws ApiError for what the caller can correct. */
export class Tenants {
  readonly #deps: TenantsDeps;

  constructor(deps: TenantsDeps) {
    this.#deps = deps;
  }

  /**
   * Idempotent: when it was not known whether the onboarding started, the same call goes on, with a new key. Once the onboarding has been heard
   * of, the id is taken.
   */
  async create(tenant: NewTenant, by: string) {
    const { db } = this.#deps;
    const { tenantId } = tenant;
    if ((await createTenant(db, tenant)) === 'exists' && (await readTenantFacts(db, tenantId))?.onboarding !== null) {
      throw new ApiError('tenant_exists', `A tenant with the id ${tenantId} exists already. Choose another id.`);
    }
    const { key } = await issueWebhookKey(db, tenantId);
    const made = await this.get(tenantId);
    await this.#startOnboarding(made, tenant.startPaused ? { by, reason: 'to start paused' } : null);
    await this.#record(tenantId, 'create', by, null);
    await this.#seen(tenantId, ({ onboarding }) => onboarding !== null);
    return {
      tenantId,
      webhookUrl: this.webhookUrl(tenantId),
      webhookKey: key,
      connectUrl: this.connectUrl(made),
    };
  }

  async change(tenantId: TenantId, change: TenantEdit, by: string): Promise<void> {
    const { db, queues } = this.#deps;
    const tenant = await this.get(tenantId);
    const { queueUrl } = tenant;
    const { retentionDays, retentionPolicy, name, discardWaitingEvents } = change;
    // The queue first: should it fail, the store still says what is true.
    if (retentionDays !== undefined && queueUrl !== null) {
      if (retentionDays < tenant.retentionDays && discardWaitingEvents !== true)
        await this.#refuseLoss(tenant, retentionDays);
      await asked(() => queues.setRetention(queueUrl, retentionDays));
    }
    await changeTenant(db, tenantId, {
      ...(retentionDays === undefined ? {} : { retentionDays }),
      ...(retentionPolicy === undefined ? {} : { retentionPolicy }),
      ...(name === undefined ? {} : { name }),
    });
    // A form sends all of them.
    const changed = {
      ...(retentionDays === undefined || retentionDays === tenant.retentionDays ? {} : { retentionDays }),
      ...(retentionPolicy === undefined || retentionPolicy === tenant.retentionPolicy ? {} : { retentionPolicy }),
      ...(name === undefined || name === tenant.name ? {} : { name, nameBefore: tenant.name }),
    };
    if (Object.keys(changed).length > 0) await this.#record(tenantId, 'change', by, null, changed);
  }

  async submitCredentials(tenantId: TenantId, given: Credentials, by: string) {
    const { db, secretBox, workflows, config } = this.#deps;
    const tenant = await this.get(tenantId);
    const parsed = parseGladlyHost(given.domain, config.GLADLY_EXTRA_HOSTS);
    if (!parsed.ok) {
      const message = `${problemSentence(parsed.problem)} ${problemRemedy(parsed.problem)}`;
      throw new ApiError('invalid_request', 'The request does not fit: domain. See errors for each.', [
        { field: 'domain', message },
      ]);
    }
    const { email, apiToken } = given;
    const version = await putCredentials(db, secretBox, tenantId, { host: parsed.host.name, email, apiToken });
    const setup = given.webhookSetup;
    // One that was disconnected begins anew, and is not to be erased meanwhile.
    if (tenant.state === 'cancelled' || tenant.state === 'disconnected') {
      await changeTenant(db, tenantId, { state: 'connecting', disconnectedAt: null, disconnectAsked: null });
    }
    if (setup !== undefined) await changeTenant(db, tenantId, { webhookSetup: setup });
    await this.#startOnboarding({ ...tenant, webhookSetup: setup ?? tenant.webhookSetup }, null);
    await workflows.submitCredentials(tenantId, { version, ...(setup === undefined ? {} : { setup }) });
    await deleteOlderCredentials(db, tenantId, version);
    await this.#record(tenantId, 'credentials', by, null, { version });
    await this.#seen(tenantId, ({ onboarding }) => (onboarding?.credentialsVersion ?? 0) >= version);
    return { tenantId, credentialsVersion: version, domain: parsed.host.name };
  }

  /** Looks at everything again: the queue, which is made anew where it does not exist any more, and what the onboarding has verified. */
  async recheck(tenantId: TenantId, by: string) {
    const { workflows } = this.#deps;
    await this.#mendQueue(await this.get(tenantId), by);
    await this.#toOnboarding(tenantId, () => workflows.recheck(tenantId, { by, reason: 'asked to look again' }));
    await this.#record(tenantId, 'recheck', by, null);
    return { tenantId };
  }

  /** Has an extraction that a problem has stopped try again now; a queue that does not exist any more is made anew. */
  async tryAgain(tenantId: TenantId, by: string): Promise<void> {
    await this.#mendQueue(await this.get(tenantId), by);
    await this.#deps.workflows.credentialsChanged(tenantId);
    await this.#record(tenantId, 'recheck', by, null);
  }

  async chooseWebhookSetup(tenantId: TenantId, setup: WebhookSetup, by: string) {
    const { db, workflows } = this.#deps;
    await this.get(tenantId);
    await changeTenant(db, tenantId, { webhookSetup: setup });
    await this.#toOnboarding(tenantId, () => workflows.chooseWebhookSetup(tenantId, setup));
    await this.#record(tenantId, 'webhook_setup', by, null, { setup });
    await this.#seen(tenantId, ({ onboarding }) => onboarding?.webhookSetup === setup);
    return { tenantId, webhookSetup: setup };
  }

  /**
   * A new webhook key, shown once. Where we made the webhook, we give it the new key ourselves, and there is nothing to show. Either way
   * the old key works until the new one is seen in use, or its time is over. `sparesUsed`: a key that is in use goes on working for good,
   * as whoever asks may be somebody else than who uses it.
   */
  async replaceWebhookKey(tenantId: TenantId, by: string, { sparesUsed = false } = {}) {
    const { webhookSetup, webhookId } = await this.get(tenantId);
    const oldKeyUntil = new Date(Date.now() + KEY_CHANGE_OVER_MS);
    const answer = { tenantId, webhookUrl: this.webhookUrl(tenantId), oldKeyUntil };
    if (webhookSetup === 'create_for_me' && webhookId !== null) {
      await this.#toOnboarding(tenantId, () => this.#deps.workflows.replaceWebhookKey(tenantId));
      await this.#record(tenantId, 'webhook_key', by, null);
      return { ...answer, webhookKey: null };
    }
    const { keyId, key } = await issueWebhookKey(
      this.#deps.db,
      tenantId,
      sparesUsed ? 'unused' : { until: oldKeyUntil },
    );
    await this.#record(tenantId, 'webhook_key', by, null, { keyId });
    return { ...answer, webhookKey: key };
  }

  /**
   * Every link made before opens nothing from now on. `mayChange`: for CHANGES_MS the new one may change things although the tenant is
   * connected, as if it were not yet.
   */
  async renewConnectLink(tenantId: TenantId, by: string, { mayChange = false } = {}) {
    const changesUntil = mayChange ? new Date(Date.now() + CHANGES_MS) : null;
    const tenant = await withdrawConnectLinks(this.#deps.db, tenantId, changesUntil);
    if (!tenant) throw new ApiError('not_found', 'There is no such tenant.');
    await this.#record(tenantId, 'connect_link', by, null, mayChange ? { mayChange } : {});
    return { tenantId, connectUrl: this.connectUrl(tenant), changesUntil };
  }

  async pause(tenantId: TenantId, request: Request) {
    await this.get(tenantId);
    await this.#toExtraction(tenantId, () => this.#deps.workflows.pause(tenantId, request));
    await this.#record(tenantId, 'pause', request.by, request.reason);
    return {
      tenantId,
      asked: 'pause',
      done: await this.#seen(tenantId, ({ extraction }) => extraction?.pause != null),
    };
  }

  async resume(tenantId: TenantId, request: Request) {
    await this.get(tenantId);
    await this.#toExtraction(tenantId, () => this.#deps.workflows.resume(tenantId, request));
    await this.#record(tenantId, 'resume', request.by, request.reason);
    return {
      tenantId,
      asked: 'resume',
      done: await this.#seen(tenantId, ({ extraction }) => extraction?.pause === null),
    };
  }

  /** Ends whatever state its workflows are in: the sweep sees to it, should the onboarding not be able to. */
  async disconnect(tenantId: TenantId, request: CancelRequest) {
    const { db, workflows } = this.#deps;
    await this.get(tenantId);
    await this.#toOnboarding(tenantId, () => workflows.cancel(tenantId, request));
    const { by, reason, discardWaitingEvents } = request;
    await changeTenant(db, tenantId, { disconnectAsked: { by, reason, discardWaitingEvents } });
    // A new connection needs a new link.
    await withdrawConnectLinks(db, tenantId);
    await this.#record(tenantId, 'disconnect', by, reason, { discard: discardWaitingEvents });
    return {
      tenantId,
      asked: 'disconnect',
      done: await this.#seen(tenantId, ({ onboarding }) => onboarding?.cancel != null),
    };
  }

  /** The tenant is kept: what was taken back already is made again. Throws ApiError when it is not being disconnected, or is already. */
  async callOff(tenantId: TenantId, request: Request) {
    const { db, workflows } = this.#deps;
    const { state, disconnectAsked } = await this.get(tenantId);
    const cancel = (await readTenantFacts(db, tenantId))?.onboarding?.cancel ?? null;
    if (state === 'disconnected' || state === 'cancelled') throw ended(tenantId);
    if (disconnectAsked === null && cancel === null)
      throw new ApiError('conflict', `${tenantId} is not being disconnected: there is nothing to call off.`);
    await changeTenant(db, tenantId, { disconnectAsked: null });
    await this.#toOnboarding(tenantId, () => workflows.callOff(tenantId, request));
    await this.#record(tenantId, 'call_off', request.by, request.reason);
    return {
      tenantId,
      asked: 'call_off',
      done: await this.#seen(tenantId, ({ onboarding }) => onboarding?.state !== 'cancelling'),
    };
  }

  /** Brings back what was set aside; see redrive.ts. */
  async redrive(tenantId: TenantId, options: RedriveOptions, by: string): Promise<Redriven> {
    const { workflows } = this.#deps;
    const { queueUrl: queue, deadLetterQueueUrl: dead } = await this.get(tenantId);
    const urls = queue !== null && dead !== null ? { queue, dead } : null;
    const found = await redrive(this.#deps, tenantId, urls, options);
    if (options.dryRun) return found;
    await this.#setAsideNow(tenantId, urls);
    const { rejected, gone, deadLetters } = found;
    await this.#record(tenantId, 'redrive', by, null, { rejected, gone, deadLetters });
    await orderDrains(this.#deps.db, [tenantId], 'look');
    await workflows.wake(tenantId);
    return found;
  }

  /** Rejected events were looked at, and nothing is to be done about them; a redrive with `gone` brings them back for as long as they are kept. */
  async discard(tenantId: TenantId, eventIds: readonly string[] | undefined, { by, reason }: Request) {
    const { queueUrl: queue, deadLetterQueueUrl: dead } = await this.get(tenantId);
    const discarded = await discardRejected(this.#deps.db, tenantId, eventIds ? { eventIds } : {});
    await this.#setAsideNow(tenantId, queue !== null && dead !== null ? { queue, dead } : null);
    await this.#record(tenantId, 'discard', by, reason, { discarded });
    return { tenantId, discarded };
  }

  /** What is not set aside any more is not to be warned of until the next sweep. SQS's number may lag, or SQS be out: the sweep has the last word. */
  async #setAsideNow(tenantId: TenantId, urls: QueueUrls | null): Promise<void> {
    const { db, queues } = this.#deps;
    const depths = urls && (await queues.depths(urls).catch(() => null));
    const { rejected } = await eventCounts(db, tenantId);
    await recordSetAside(db, tenantId, { deadLetters: depths && totalOf(depths.dead), rejected });
  }

  async erase(tenantId: TenantId) {
    const { state } = await this.get(tenantId);
    if (state !== 'disconnected' && state !== 'cancelled') {
      throw new ApiError(
        'conflict',
        `${tenantId} is still connected. Disconnect it first, and wait until that is done.`,
      );
    }
    await removeTenant(this.#deps.db, tenantId);
    return { tenantId, erased: true };
  }

  webhookUrl(tenantId: TenantId): string {
    return webhookUrl(this.#deps.config.PUBLIC_URL, tenantId);
  }

  /** A connect link of this tenant that is good for LINK_LIFE_MS from now. */
  connectUrl({ tenantId, incarnation, connectLinkEpoch }: LinkOwner): string {
    const { links, config } = this.#deps;
    const expiresAt = Date.now() + LINK_LIFE_MS;
    return `${config.PUBLIC_URL}/connect/${links.sign({ tenantId, incarnation, epoch: connectLinkEpoch, expiresAt })}`;
  }

  /** Throws ApiError when there is none. */
  async get(tenantId: TenantId): Promise<Tenant> {
    const tenant = await getTenant(this.#deps.db, tenantId);
    if (!tenant) throw new ApiError('not_found', 'There is no such tenant.');
    return tenant;
  }

  /**
   * Throws ApiError when events wait in the queue that may be older than `days`: SQS applies a shorter retention to what waits already, and
   * deletes it within minutes.
   */
  async #refuseLoss({ tenantId, ...tenant }: Tenant, days: number): Promise<void> {
    const { db, queues } = this.#deps;
    const { queueUrl: queue, deadLetterQueueUrl: dead, createdAt } = tenant;
    if (queue === null || dead === null) return;
    const inQueue = totalOf((await asked(() => queues.depths({ queue, dead }))).queue);
    if (inQueue === 0) return;
    const since = waitsSince({ createdAt }, (await readTenantFacts(db, tenantId))?.queueEmptyAt ?? null);
    const enough = Math.ceil((Date.now() + LOSS_MARGIN_MS - since.getTime()) / DAY_MS);
    if (days >= enough) return;
    throw new ApiError(
      'conflict',
      `${inQueue} events wait in the queue, the oldest perhaps since ${since.toISOString()}. Kept for ${days} days only, some would be deleted. Nothing was changed. Wait until they are taken in, keep events ${enough} days or longer, or confirm with discardWaitingEvents that they may be deleted.`,
    );
  }

  /** Throws ApiError when the queue does not exist and cannot be made now. Trouble of SQS as a whole passes, and stands in nobody's way. */
  async #mendQueue(tenant: Tenant, by: string): Promise<void> {
    const { db, workflows } = this.#deps;
    const { tenantId, state, queueUrl } = tenant;
    if ((state !== 'connected' && state !== 'connecting') || queueUrl === null) return;
    const made = await mendQueue(this.#deps, tenant, by).catch(async (error: unknown) => {
      if (error instanceof StoreError) throw error;
      await recordQueue(db, tenantId, error);
      const { problem } = queueProblem(error);
      if (problem.code === 'queue_unavailable') return false;
      throw new ApiError('conflict', `${problemSentence(problem)} ${problemRemedy(problem)}`, [], { cause: error });
    });
    if (made) await workflows.wake(tenantId);
  }

  async #startOnboarding(tenant: Tenant, startPaused: Request | null): Promise<void> {
    await this.#deps.workflows.startOnboarding(onboardingInput(tenant, tuningsOf(this.#deps.config), startPaused));
  }

  /** One that does not run although the tenant has not ended is begun anew first: it goes on where the last one was. */
  async #toOnboarding(tenantId: TenantId, signal: () => Promise<void>): Promise<void> {
    try {
      await signal();
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      const tenant = await this.get(tenantId);
      if (tenant.state === 'disconnected' || tenant.state === 'cancelled') throw ended(tenantId, error);
      await this.#startOnboarding(tenant, null);
      await signal();
    }
  }

  async #toExtraction(tenantId: TenantId, signal: () => Promise<void>): Promise<void> {
    try {
      await signal();
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      throw new ApiError(
        'conflict',
        `Extraction of ${tenantId} does not run: it starts when the onboarding is done, and ends when the tenant is disconnected. One that was ended from outside is begun anew by the next sweep.`,
        [],
        { cause: error },
      );
    }
  }

  /**
   * Waits a moment until what was asked for is seen, so that the caller sees it too. False: Temporal has taken it, and no worker has acted yet.
   */
  async #seen(tenantId: TenantId, isSeen: (state: TenantState) => boolean): Promise<boolean> {
    for (const until = performance.now() + SEEN_MS; performance.now() < until; await delay(SEEN_LOOK_MS)) {
      const state = await readTenantFacts(this.#deps.db, tenantId);
      if (state === null || isSeen(state)) return true;
    }
    return false;
  }

  async #record(
    tenantId: TenantId,
    action: string,
    by: string,
    reason: string | null,
    details: Readonly<Record<string, string | number | boolean>> = {},
  ): Promise<void> {
    const folds = by === BY_CUSTOMER || action === 'recheck';
    await recordAction(this.#deps.db, { tenantId, at: new Date(), by, action, reason, details }, { folds });
  }
}

const ended = (tenantId: TenantId, cause?: unknown): ApiError =>
  new ApiError('conflict', `${tenantId} is disconnected. Enter its credentials to connect it again.`, [], { cause });

/** What SQS answers; throws ApiError in its stead when it refuses or does not answer. */
async function asked<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const { problem } = queueProblem(error);
    throw new ApiError('queue_unavailable', `${problemSentence(problem)} ${problemRemedy(problem)}`, [], {
      cause: error,
    });
  }
}
