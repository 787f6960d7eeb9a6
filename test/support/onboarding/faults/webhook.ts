import { type FaultRow, NINE_EVENTS, type Scene } from './row.ts';

/** Asked for beside the ten, and not required. */
const MERGED = 'CUSTOMER/MERGED';

const MENU = 'In Gladly, open Settings > App Developer Tools > Webhooks';

/** What the customer saves in Gladly's form, as the set-up article says, but for `change`. */
export async function saveByHand({ gladly, tenant }: Scene, change: object = {}): Promise<void> {
  await gladly.api('POST', '/webhooks', {
    name: 'Conversations to analytics',
    url: tenant.webhookUrl,
    events: [...NINE_EVENTS, MERGED],
    headers: { 'x-api-key': tenant.webhookKey },
    enabled: true,
    ...change,
  });
}

export async function change({ gladly }: Scene, body: object): Promise<void> {
  const [webhook] = await gladly.webhooks();
  await gladly.api('PATCH', `/webhooks/${webhook?.id}`, body);
}

async function refused(saving: Promise<void>): Promise<void> {
  const answer = await saving.then(
    () => 'saved',
    (error: unknown) => String(error),
  );
  if (!answer.includes('400')) throw new Error(`Gladly should have refused it: ${answer}`);
}

const KEEPS_OFF =
  'Gladly called our URL with a wrong webhook key, {seconds} seconds before this check: that is why the webhook cannot be enabled.';
const KEY_AGAIN = `${MENU}, edit the webhook, and copy the webhook key once more into the HTTP header x-api-key. If the key is lost, make a new one here. Then enable the webhook, and save.`;
const notOffered = { notices: ['message_received_not_offered'] } as const;
/** Gladly does not enable a webhook whose PING we refuse. */
const keptOff = {
  step: 'webhook',
  state: 'needs_you',
  code: 'webhook_key_keeps_off',
  sentence: KEEPS_OFF,
  remedy: KEY_AGAIN,
  further: ['webhook_disabled'],
  ...notOffered,
  mend: (scene: Scene) => change(scene, { headers: { 'x-api-key': scene.tenant.webhookKey }, enabled: true }),
} as const;
const MISSING = {
  step: 'webhook',
  state: 'needs_you',
  code: 'webhook_missing',
  sentence: 'Gladly has no webhook that sends events to us yet.',
  remedy:
    'Let us create it for you, or create it yourself under Settings > App Developer Tools > Webhooks with the URL {url}.',
} as const;

/** The webhook, made by hand or for the customer. */
export const webhookFaults: readonly FaultRow[] = [
  { fault: 'webhook missing', ...MISSING, mend: saveByHand },
  {
    fault: 'somebody else’s webhooks only',
    arrange: (scene) =>
      saveByHand(scene, { name: 'CSAT', url: 'https://surveys.example/gladly?secret=1', enabled: false }),
    ...MISSING,
    mend: saveByHand,
  },
  {
    fault: 'wrong URL',
    arrange: (scene) => saveByHand(scene, { url: `${scene.tenant.webhookUrl}-typo?key=secret`, enabled: false }),
    step: 'webhook',
    state: 'needs_you',
    code: 'webhook_wrong_url',
    sentence: 'The webhook in Gladly sends to {url}-typo instead of our URL.',
    remedy: `${MENU}, edit the webhook, and set its URL to {url}.`,
    further: ['webhook_disabled'],
    ...notOffered,
    mend: (scene) => change(scene, { url: scene.tenant.webhookUrl, enabled: true }),
  },
  {
    fault: 'one event missing',
    arrange: (scene) =>
      saveByHand(scene, { events: [...NINE_EVENTS.filter((it) => it !== 'CONVERSATION/CLOSED'), MERGED] }),
    step: 'webhook',
    state: 'needs_you',
    code: 'webhook_events_missing',
    sentence: 'The webhook in Gladly does not send these events: CONVERSATION/CLOSED.',
    remedy: `${MENU}, edit the webhook, select CONVERSATION/CLOSED, and save.`,
    ...notOffered,
    mend: (scene) => change(scene, { events: [...NINE_EVENTS, MERGED] }),
  },
  {
    fault: 'all events missing',
    arrange: (scene) => saveByHand(scene, { events: ['TASK/CREATED', MERGED] }),
    step: 'webhook',
    state: 'needs_you',
    code: 'webhook_events_missing',
    sentence: `The webhook in Gladly does not send these events: ${NINE_EVENTS.join(', ')}.`,
    remedy: `${MENU}, edit the webhook, select ${NINE_EVENTS.join(', ')}, and save.`,
    notices: ['webhook_events_extra', 'message_received_not_offered'],
    mend: (scene) => change(scene, { events: [...NINE_EVENTS, MERGED] }),
  },
  {
    fault: 'extra events',
    arrange: (scene) => saveByHand(scene, { events: [...NINE_EVENTS, MERGED, 'TASK/CREATED', 'CONTACT/ENDED'] }),
    step: 'webhook',
    state: 'notice',
    code: 'webhook_events_extra',
    sentence: 'The webhook in Gladly also sends events that we do not need: TASK/CREATED, CONTACT/ENDED.',
    remedy:
      'This does no harm. To tidy up, open Settings > App Developer Tools > Webhooks, edit the webhook, and clear them.',
    notices: ['webhook_events_extra', 'message_received_not_offered'],
  },
  {
    fault: 'MESSAGE/RECEIVED, which Gladly does not offer',
    arrange: saveByHand,
    step: 'webhook',
    state: 'notice',
    code: 'message_received_not_offered',
    sentence:
      'Gladly does not offer the event MESSAGE/RECEIVED to you. It is an old one, and CONTACT/MESSAGE_RECEIVED took its place.',
    remedy: 'Nothing to do: leave it out.',
    ...notOffered,
  },
  {
    fault: 'CUSTOMER/MERGED missing',
    arrange: (scene) => saveByHand(scene, { events: NINE_EVENTS }),
    step: 'webhook',
    state: 'notice',
    code: 'customer_merged_missing',
    sentence:
      'The webhook in Gladly does not send CUSTOMER/MERGED, so conversations of merged customers keep the old customer here until their next event.',
    remedy: `${MENU}, edit the webhook, select CUSTOMER/MERGED, and save.`,
    notices: ['message_received_not_offered', 'customer_merged_missing'],
  },
  {
    fault: 'MESSAGE/RECEIVED missing, which Gladly offers',
    arrange: async (scene) => {
      await scene.gladly.control('PATCH', '/settings', { legacyEvents: true });
      const old = { url: 'https://old.example/hook', events: ['MESSAGE/RECEIVED'], enabled: false };
      await saveByHand(scene, { ...old, name: 'An old one' });
      await saveByHand(scene);
    },
    step: 'webhook',
    state: 'needs_you',
    code: 'webhook_events_missing',
    sentence: 'The webhook in Gladly does not send these events: MESSAGE/RECEIVED.',
    remedy: `${MENU}, edit the webhook, select MESSAGE/RECEIVED, and save.`,
    mend: async (scene) => {
      const ours = (await scene.gladly.webhooks()).find((it) => it.url === scene.tenant.webhookUrl);
      await scene.gladly.api('PATCH', `/webhooks/${ours?.id}`, {
        events: [...NINE_EVENTS, 'MESSAGE/RECEIVED', MERGED],
      });
    },
  },
  {
    fault: 'header missing',
    arrange: (scene) => saveByHand(scene, { headers: {}, enabled: false }),
    step: 'webhook',
    state: 'needs_you',
    code: 'webhook_header_missing',
    sentence: 'The webhook in Gladly does not send the HTTP header x-api-key.',
    remedy: `${MENU}, edit the webhook, and add an HTTP header with the name x-api-key and the webhook key as its value.`,
    further: ['webhook_disabled'],
    ...notOffered,
    mend: (scene) => change(scene, { headers: { 'X-API-Key': scene.tenant.webhookKey }, enabled: true }),
  },
  {
    fault: 'wrong key: the PING gets 401, and Gladly saves nothing',
    arrange: (scene) => refused(saveByHand(scene, { headers: { 'x-api-key': 'a wrong key' } })),
    step: 'webhook',
    state: 'needs_you',
    code: 'webhook_key_wrong',
    sentence: 'Gladly called our URL, but with a wrong webhook key.',
    remedy: `${MENU}, edit the webhook, and copy the webhook key once more into the HTTP header x-api-key. If the key is lost, ask for a new one.`,
    further: ['webhook_missing'],
    mend: saveByHand,
  },
  {
    fault: 'wrong key, and a webhook that is there and not enabled: Gladly does not enable it',
    arrange: async (scene) => {
      await saveByHand(scene, { headers: { 'x-api-key': 'a wrong key' }, enabled: false });
      await refused(change(scene, { enabled: true }));
    },
    ...keptOff,
  },
  {
    fault: 'wrong key after a right one: once enabled, then another key was copied',
    arrange: async (scene) => {
      await saveByHand(scene);
      await change(scene, { headers: { 'x-api-key': 'a wrong key' }, enabled: false });
      await refused(change(scene, { enabled: true }));
    },
    ...keptOff,
  },
  {
    fault: 'disabled',
    arrange: (scene) => saveByHand(scene, { enabled: false }),
    step: 'webhook',
    state: 'needs_you',
    code: 'webhook_disabled',
    sentence: 'The webhook in Gladly is not enabled.',
    remedy: `${MENU}, edit the webhook, enable it, and save.`,
    ...notOffered,
    mend: (scene) => change(scene, { enabled: true }),
  },
  {
    fault: 'switched off by the retry limit',
    arrange: getSwitchedOff,
    step: 'webhook',
    state: 'needs_you',
    // The deliveries failed over the key, which is to be put right first.
    code: 'webhook_key_keeps_off',
    sentence: KEEPS_OFF,
    remedy: KEY_AGAIN,
    further: ['webhook_switched_off'],
    ...notOffered,
    mend: (scene) => change(scene, { headers: { 'x-api-key': scene.tenant.webhookKey }, enabled: true }),
  },
  {
    fault: '20 webhooks, none of them ours',
    setup: 'create_for_me',
    arrange: async (scene) => {
      for (let n = 1; n <= 20; n++)
        await saveByHand(scene, { name: `Other ${n}`, url: `https://other.example/${n}`, enabled: false });
    },
    step: 'webhook',
    state: 'needs_you',
    code: 'webhook_limit_reached',
    sentence: 'Your Gladly organization already has 20 webhooks, and Gladly allows no more.',
    remedy: `${MENU} and delete a webhook that is no longer used.`,
    mend: async ({ gladly }) => {
      const [one] = await gladly.webhooks();
      await gladly.api('DELETE', `/webhooks/${one?.id}`);
    },
  },
  {
    fault: 'a webhook of ours that Gladly does not accept',
    setup: 'create_for_me',
    arrange: ({ gladly }) => gladly.fault({ method: 'POST', path: '/api/v1/webhooks', status: 400, times: 4 }),
    step: 'webhook',
    state: 'retrying',
    code: 'webhook_not_saved',
    sentence: 'Gladly did not accept the webhook that we tried to create or change.',
    remedy: 'We have to look into it. You can also create it yourself under Settings > App Developer Tools > Webhooks.',
    mend: 'time',
  },
];

/** Deliveries that fail for an hour and a half of Gladly's time make it switch the webhook off. */
export async function getSwitchedOff(scene: Scene): Promise<void> {
  await saveByHand(scene);
  await change(scene, { headers: { 'x-api-key': 'a wrong key' } });
  await scene.gladly.control('PATCH', '/settings', { clockFactor: 20_000 });
  await scene.gladly.control('POST', '/emit', { count: 1, onlySubscribed: true });
  for (let n = 0; n < 100; n++) {
    const [webhook] = await scene.gladly.webhooks();
    if (webhook?.enabled === false) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('Gladly has not switched the webhook off.');
}

/** A delivery as anybody could make it. Throws when it is refused. */
export async function deliver(url: string, key: string, event: object): Promise<void> {
  const headers = { 'x-api-key': key, 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(event) });
  if (!answer.ok) throw new Error(`The delivery was answered ${answer.status}.`);
}
