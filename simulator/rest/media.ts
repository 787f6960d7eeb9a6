import { type Item, itemSchema } from '../model.ts';
import type { Conversations } from '../store/conversations.ts';
import type { Visibility } from '../visibility.ts';
import { json } from './answer.ts';
import { notFound } from './directory.ts';
import type { Route } from './router.ts';

/** One silent MPEG frame: single channel, 32 kbit/s, as Gladly's recordings (gladly.md 2.2). */
const SILENCE = Buffer.concat([Buffer.from([0xff, 0xfb, 0x10, 0xc4]), Buffer.alloc(100)]);

/** Recordings and transcripts of phone calls and voicemails whose recording is AVAILABLE. */
export function mediaRoutes(conversations: Conversations, visibility: Visibility): Route[] {
  function recorded(id: string): Item | undefined {
    const found = conversations.item(id);
    if (found === undefined || visibility.hidesItem(id)) return undefined;
    const item = itemSchema.parse(JSON.parse(found.body));
    return item.content['recordingStatus'] === 'AVAILABLE' ? item : undefined;
  }

  return [
    {
      method: 'GET',
      path: '/api/v1/conversation-items/:id/media/recording',
      handle: ({ params: { id = '' } }) => {
        if (recorded(id) === undefined) return notFound('recording', id);
        return { status: 200, headers: { 'content-type': 'audio/mpeg' }, body: SILENCE };
      },
    },
    {
      method: 'GET',
      path: '/api/v1/conversation-items/:id/voice-transcript',
      handle: ({ params: { id = '' } }) => {
        const item = recorded(id);
        if (item === undefined) return notFound('voice transcript', id);
        const { customerId, timestamp } = item;
        const paragraphs = [
          { transcript: 'Hello, how can I help you today?', speaker: 0, startTime: 0.4, endTime: 2.9 },
        ];
        const times = { createdAt: timestamp, updatedAt: timestamp };
        return json(200, { paragraphs, customerId, numberOfSpeakers: 2, language: 'en', ...times });
      },
    },
  ];
}
