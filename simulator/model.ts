import { z } from 'zod';

/** The documents the simulator keeps. Public ones have Gladly's own shapes (gladly.md 2.2 and 2.3). */

const ROLES = ['API User', 'Agent', 'Administrator'] as const;
export const roleSchema = z.enum(ROLES);
export type Role = z.infer<typeof roleSchema>;

const CHANNELS = ['CHAT', 'EMAIL', 'SMS', 'WHATSAPP', 'INSTAGRAM_DIRECT', 'FB_MESSENGER', 'PHONE_CALL'] as const;
export const channelSchema = z.enum(CHANNELS);
export type Channel = z.infer<typeof channelSchema>;

const organizationSchema = z.object({
  id: z.string(),
  loginDomain: z.string(),
  name: z.string(),
  timezone: z.string(),
});

const inboxSchema = z.object({ id: z.string(), name: z.string(), disabled: z.boolean() });
const teamSchema = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  agentIds: z.array(z.string()),
});
const topicSchema = z.object({
  id: z.string(),
  name: z.string(),
  disabled: z.boolean(),
  parentId: z.string().optional(),
});
export type Topic = z.infer<typeof topicSchema>;

/** Everything about the organization that does not change while it lives. */
export const directorySchema = z.object({
  organization: organizationSchema,
  inboxes: z.array(inboxSchema),
  teams: z.array(teamSchema),
  topics: z.array(topicSchema),
  agentIds: z.array(z.string()),
  customAttributeId: z.string(),
  companyPhone: z.string(),
  facebookPageId: z.string(),
});
export type Directory = z.infer<typeof directorySchema>;

const assigneeSchema = z.object({ inboxId: z.string(), agentId: z.string().optional() });
export type Assignee = z.infer<typeof assigneeSchema>;

export const customerSchema = z.object({
  id: z.string(),
  name: z.string(),
  image: z.string().optional(),
  address: z.string().optional(),
  emails: z.array(z.object({ original: z.string(), normalized: z.string(), primary: z.boolean() })),
  phones: z.array(
    z.object({
      original: z.string(),
      normalized: z.string(),
      regionCode: z.string(),
      primary: z.boolean(),
      type: z.string(),
      smsPreference: z.string(),
    }),
  ),
  externalCustomerId: z.string().optional(),
  customAttributes: z.record(z.string(), z.string()).optional(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type Customer = z.infer<typeof customerSchema>;

export const conversationSchema = z.object({
  id: z.string(),
  customerId: z.string(),
  createdAt: z.string(),
  inboxId: z.string(),
  status: z.enum(['OPEN', 'WAITING', 'CLOSED']),
  agentId: z.string().optional(),
  topicIds: z.array(z.string()).optional(),
  customAttributes: z.array(z.object({ id: z.string(), value: z.string() })).optional(),
  closedAt: z.string().optional(),
});
export type Conversation = z.infer<typeof conversationSchema>;

const partySchema = z.object({ id: z.string(), type: z.string() });
export type Party = z.infer<typeof partySchema>;

const itemContentSchema = z.looseObject({ type: z.string() });
export type ItemContent = z.infer<typeof itemContentSchema>;

const attachmentSchema = z.object({
  id: z.string(),
  contentType: z.string(),
  filename: z.string(),
  fileSize: z.number(),
});

export const itemSchema = z.object({
  id: z.string(),
  customerId: z.string(),
  conversationId: z.string(),
  timestamp: z.string(),
  initiator: partySchema.optional(),
  responder: partySchema.optional(),
  content: itemContentSchema,
  attachments: z.array(attachmentSchema).optional(),
});
export type Item = z.infer<typeof itemSchema>;

/** The envelope of gladly.md 1.1. */
export type GladlyEvent = {
  id: string;
  type: string;
  timestamp: string;
  initiator?: Party;
  content: Record<string, unknown>;
};
