import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** Never encrypted and shown in every list: ids and codes only, nothing of a person. */
export const SEARCH_ATTRIBUTES = {
  tenantId: defineSearchAttributeKey('TenantId', SearchAttributeType.KEYWORD),
  state: defineSearchAttributeKey('State', SearchAttributeType.KEYWORD),
  problem: defineSearchAttributeKey('Problem', SearchAttributeType.KEYWORD),
  pausedSince: defineSearchAttributeKey('PausedSince', SearchAttributeType.DATETIME),
} as const;
