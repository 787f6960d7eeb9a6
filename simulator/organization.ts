import { createHash } from 'node:crypto';
import type { Customer, Directory, Role, Topic } from './model.ts';
import { createRandom, type Random } from './random.ts';
import type { User } from './store/users.ts';
import { inOffsetForm, type Timeline } from './timestamps.ts';
import {
  CITIES,
  FIRST_NAMES,
  INBOXES,
  LAST_NAMES,
  ORGANIZATIONS,
  STREETS,
  TEAMS,
  TIMEZONES,
  TOPICS,
  writeText,
} from './words.ts';

const AGENT_COUNT = 12;

export type DemoCredentials = { email: string; apiToken: string };

/**
 * The API user that a new organization starts with: roles API User, Agent and Administrator, as the set-up article
 * asks (gladly.md 1.6). The same seed gives the same token, so that a demo tenant can be connected without asking the simulator.
 */
export function demoCredentials(seed: string): DemoCredentials {
  const { slug } = chooseOrganization(seed);
  const apiToken = createHash('sha256').update(`demo token\u0000${seed}`).digest('base64url');
  return { email: `idiomatic@${slug}.example`, apiToken };
}

function chooseOrganization(seed: string): (typeof ORGANIZATIONS)[number] {
  return createRandom(seed, 'organization').pick(ORGANIZATIONS);
}

/** The organization of a seed: all that never changes, and its users. */
export function foundOrganization(seed: string, adminEmail: string): { directory: Directory; users: User[] } {
  const { name, slug } = chooseOrganization(seed);
  const random = createRandom(seed, 'directory');
  const agents = foundAgents(random, slug);
  const agentIds = agents.map((agent) => agent.id);
  const allRoles: Role[] = ['API User', 'Agent', 'Administrator'];
  const demoUser: User = { id: random.id(), name: 'Idiomatic Integration', email: adminEmail, roles: allRoles };

  const open = INBOXES.map((inbox) => ({ id: random.id(), name: inbox, disabled: false }));
  const inboxes = [...open, { id: random.id(), name: 'Holiday 2023', disabled: true }];

  const directory: Directory = {
    organization: { id: random.id(), loginDomain: `${slug}.example`, name, timezone: random.pick(TIMEZONES) },
    inboxes,
    teams: TEAMS.map((team, index) => ({
      id: random.id(),
      name: team,
      description: `${team} of ${name}`,
      agentIds: agentIds.filter((_, agent) => agent % TEAMS.length === index),
    })),
    topics: foundTopics(random),
    agentIds,
    customAttributeId: random.id(),
    companyPhone: `+1415555${random.int(1000, 9999)}`,
    facebookPageId: String(random.int(10_000_000, 99_999_999)),
  };
  return { directory, users: [...agents, demoUser] };
}

function foundAgents(random: Random, slug: string): User[] {
  return Array.from({ length: AGENT_COUNT }, (_, index) => {
    const first = FIRST_NAMES[index] ?? 'Alex';
    const last = random.pick(LAST_NAMES);
    const email = `${plain(first)}.${plain(last)}@${slug}.example`;
    return { id: random.id(), name: `${first} ${last}`, email, roles: ['Agent' as const] };
  });
}

function foundTopics(random: Random): Topic[] {
  const topics = TOPICS.flatMap(([name, children]) => {
    const parent: Topic = { id: random.id(), name, disabled: false };
    const nested = children.map((child) => ({ id: random.id(), name: child, disabled: false, parentId: parent.id }));
    return [parent, ...nested];
  });
  return [...topics, { id: random.id(), name: 'Spring Recall', disabled: true }];
}

/** A customer who has not written before. */
export function inventCustomer(random: Random, timeline: Timeline): { customer: Customer; updatedMs: number } {
  const first = random.pick(FIRST_NAMES);
  const last = random.pick(LAST_NAMES);
  const email = `${plain(first)}.${plain(last)}${random.int(1, 9999)}@mail.example`;
  const phone = `+1${random.int(201, 989)}555${String(random.int(0, 9999)).padStart(4, '0')}`;
  const externalId = random.chance(0.5) ? `cust-${random.int(100_000, 999_999)}` : undefined;
  const address = `${random.int(1, 400)} ${random.pick(STREETS)}, ${random.pick(CITIES)}`;
  const note = random.chance(0.3) ? writeText(random, 'note') : undefined;
  const offsetForm = random.chance(0.05);
  const id = random.id();
  const at = timeline.next(random);
  const time = offsetForm ? inOffsetForm(at.text, -7) : at.text;

  const customer: Customer = {
    id,
    name: `${first} ${last}`,
    address,
    emails: [{ original: email, normalized: email.toLowerCase(), primary: true }],
    phones: [
      {
        original: phone,
        normalized: phone,
        regionCode: 'US',
        primary: true,
        type: 'MOBILE',
        smsPreference: 'ON',
      },
    ],
    ...(externalId === undefined ? {} : { externalCustomerId: externalId }),
    ...(note === undefined ? {} : { customAttributes: { lastRemark: note } }),
    createdAt: time,
    updatedAt: time,
  };
  return { customer, updatedMs: at.ms };
}

function plain(name: string): string {
  return name
    .replace('ø', 'o')
    .normalize('NFD')
    .replace(/[^A-Za-z]/g, '')
    .toLowerCase();
}
