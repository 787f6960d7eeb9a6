import { expect, it } from 'vitest';
import { parseStorableJson } from '../../../src/gladly/json.ts';
import { readConversation } from '../../../src/gladly/schemas.ts';

it('custom attributes stay what they are, and a list keeps its texts', () => {
  const attributes = '[{"id":"a","value":5},{"id":"b","value":["x"]},{"id":"c","value":12345678901234567890},"bad"]';
  const raw = parseStorableJson(`{"id":"c1","customAttributes":${attributes},"topicIds":["t1",null]}`);
  const found = readConversation(raw);
  expect(JSON.stringify(found?.value.customAttributes)).toBe(attributes);
  expect(found?.value.topicIds).toEqual(['t1']);
  expect(found?.drift).toContain('conversation.type:topicIds');
});
