/** A kind of trouble: where it happens, how long it lasts, and what a status may say because of it. */
interface KindFacts {
  /** `tenant`: to one tenant, one after the other. `house`: to all of them, besides. */
  readonly lane: 'tenant' | 'house';
  /** Seconds at least and at most, in a run of FULL_MS; less in a shorter one. 0: a moment. */
  readonly seconds: readonly [least: number, most: number];
  /** Codes of problems, warnings and findings that it explains while it lasts and for a minute after. Stillness explains itself (misled.ts). */
  readonly explains: readonly RegExp[];
  readonly needs?: 'postgres';
}

/** The length that `seconds` are meant for. */
export const FULL_MS = 600_000;

const GLADLY = [
  /^(gladly|domain|token|webhook)_/,
  /^(forbidden|not_gladly|redirect_refused|answer_too_large|user_not_found|credentials_missing)$/,
  /^(dns_failed|connection_|conversations_|events_stalled|quota_starved|organization_)/,
  /_role_missing$/,
];
const QUEUE = [/^queue_/, /^events_rejected$/, /^dead_letters_waiting$/];
const TEMPORAL = [/^workflow_/, /^(key_missing|events_stalled)$/];
/** A part that is down is seen as trouble of whatever it stands before; a workflow that begins anew verifies everything again. */
const ANY = [/./];

const gladly = (least: number, most: number): KindFacts => ({
  lane: 'tenant',
  seconds: [least, most],
  explains: GLADLY,
});
const queue = (least: number, most: number): KindFacts => ({ lane: 'tenant', seconds: [least, most], explains: QUEUE });
const temporal = (least: number, most: number): KindFacts => ({
  lane: 'tenant',
  seconds: [least, most],
  explains: [...TEMPORAL, ...GLADLY],
});
const house = (least: number, most: number): KindFacts => ({ lane: 'house', seconds: [least, most], explains: ANY });

/** All kinds of trouble, by the name under which the last lines of a run count them. */
export const KINDS = {
  // Gladly's side (docs/reliability.md)
  '404 spell': gladly(10, 25),
  '403 spell': gladly(10, 20),
  '401 spell': gladly(10, 20),
  '302 spell': gladly(10, 20),
  'HTML spell': gladly(8, 20),
  'single refusal': gladly(0, 0),
  'clocks of Gladly’s nodes': gladly(20, 40),
  'read lag': gladly(15, 30),
  'oversize list': gladly(5, 10),
  'slow list': gladly(15, 30),
  merge: gladly(0, 0),
  'third-party mail': gladly(0, 0),
  rival: gladly(60, 60),
  resend: gladly(0, 0),
  // Queues
  'bad messages': queue(5, 10),
  'foreign messages': queue(5, 10),
  'queue deleted': queue(0, 0),
  'queue refused': queue(10, 20),
  // Temporal, and operators
  'undecodable signal to extraction': temporal(0, 0),
  'undecodable signal to onboarding': temporal(0, 0),
  'terminate extraction': temporal(0, 0),
  'terminate onboarding': temporal(0, 0),
  'cancel extraction': temporal(0, 0),
  'cancel onboarding': temporal(0, 0),
  'reset extraction': temporal(0, 0),
  'reset onboarding': temporal(0, 0),
  'activity pause': temporal(10, 30),
  pause: temporal(1, 8),
  // The house
  'kill worker': house(0, 0),
  'kill api': house(0, 0),
  'kill temporal': house(0, 0),
  'kill sqs': house(0, 0),
  'kill postgres': house(0, 0),
  'SQS refuses all': house(10, 20),
  'worker without a key': house(10, 20),
  'undecodable signal to sweep': house(0, 0),
  'read-only Postgres': { ...house(10, 20), needs: 'postgres' },
} as const satisfies Readonly<Record<string, KindFacts>>;

export type Kind = keyof typeof KINDS;

/** In the order of the table. */
export const ALL_KINDS = Object.keys(KINDS) as readonly Kind[];

export const factsOf = (kind: Kind): KindFacts => KINDS[kind];

export const isKind = (name: string): name is Kind => Object.hasOwn(KINDS, name);

/** True when trouble of this kind explains that a status names `code`. */
export const explains = (kind: Kind, code: string): boolean => factsOf(kind).explains.some((one) => one.test(code));
