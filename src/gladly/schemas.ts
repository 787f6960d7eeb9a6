import { z } from 'zod';
import { type Drift, driftName, unknownFields } from './drift.ts';
import { isObject, type JsonObject } from './json.ts';

/**
 * Gladly's resources (gladly.md 2.2) as we use them: only the id must be there. Every other field that is missing or of another type
 * becomes undefined, fields we do not know are kept, and each of these is reported as drift. A new field of Gladly's stops nothing.
 */
const id = z.string().min(1);
const text = z.string().optional().catch(undefined);
const flag = z.boolean().optional().catch(undefined);
/** The texts of a list; other entries are left out, and the list counts as drift. */
const texts = z
  .array(z.unknown())
  .transform((list) => list.filter((it) => typeof it === 'string'))
  .optional()
  .catch(undefined);

const organization = z.looseObject({ id, loginDomain: text, name: text, timezone: text, gladlyUrl: text });
const agent = z.looseObject({ id, name: text, emailAddress: text });
const inbox = z.looseObject({ id, name: text, disabled: flag });
const team = z.looseObject({ id, name: text, description: text, agentIds: texts });
const topic = z.looseObject({ id, name: text, disabled: flag, parentId: text });

const conversation = z.looseObject({
  id,
  customerId: text,
  createdAt: text,
  closedAt: text,
  inboxId: text,
  agentId: text,
  status: text,
  topicIds: texts,
  // Kept as they came, whatever they are.
  customAttributes: z.array(z.unknown()).optional().catch(undefined),
});

const webhook = z.looseObject({
  id,
  name: text,
  url: text,
  events: texts,
  enabled: flag,
  hasCredentials: flag,
  headerKeys: texts,
  createdAt: text,
  updatedAt: text,
  disabledAtDueToRetryLimit: text,
});

export type Organization = z.infer<typeof organization>;
export type Agent = z.infer<typeof agent>;
export type Inbox = z.infer<typeof inbox>;
export type Team = z.infer<typeof team>;
export type Topic = z.infer<typeof topic>;
export type Conversation = z.infer<typeof conversation>;
export type Webhook = z.infer<typeof webhook>;

/** A resource as read: what was validated, beside it what Gladly sent, and how that differs from what we know. */
export interface Read<T> {
  readonly value: T;
  readonly raw: JsonObject;
  readonly drift: Drift;
}

/** A way to read one kind of resource. Null when it has no id, and so is nothing we can use. */
export type Reader<T> = (raw: unknown) => Read<T> | null;

interface Known {
  readonly required?: readonly string[];
  /** Values of a field that we know; others are kept and reported. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
}

function reader<T extends JsonObject>(
  name: string,
  schema: z.ZodType<T> & { readonly shape: object },
  known: Known = {},
): Reader<T> {
  const fields = new Set(Object.keys(schema.shape));
  return (raw) => {
    if (!isObject(raw)) return null;
    const parsed = schema.safeParse(raw);
    if (!parsed.success) return null;
    const value = parsed.data;
    const drift = unknownFields(name, raw, fields);
    for (const field in raw) {
      if (fields.has(field) && isChanged(raw[field], value[field])) drift.push(driftName(`${name}.type`, field));
    }
    for (const field of known.required ?? [])
      if (raw[field] === undefined) drift.push(driftName(`${name}.missing`, field));
    for (const [field, values] of Object.entries(known.values ?? {})) {
      const found = value[field];
      if (typeof found === 'string' && !values.includes(found)) drift.push(driftName(`${name}.${field}`, found));
    }
    return { value, raw, drift };
  };
}

/** It could not be kept whole: another type, or a list with entries of another type. */
const isChanged = (raw: unknown, value: unknown): boolean =>
  value === undefined || (Array.isArray(raw) && Array.isArray(value) && raw.length !== value.length);

export const readOrganization = reader('organization', organization, { required: ['gladlyUrl'] });
export const readAgent = reader('agent', agent, { required: ['emailAddress'] });
export const readInbox = reader('inbox', inbox);
export const readTeam = reader('team', team);
export const readTopic = reader('topic', topic);
export const readWebhook = reader('webhook', webhook, { required: ['url', 'events', 'enabled'] });
export const readConversation = reader('conversation', conversation, {
  required: ['customerId', 'createdAt', 'inboxId', 'status'],
  values: { status: ['OPEN', 'WAITING', 'CLOSED'] },
});
