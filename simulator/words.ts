import type { Random } from './random.ts';

/** Invented people, products and sentences. None comes from anybody's real conversations. */

export const ORGANIZATIONS = [
  { name: 'Willow & Wren', slug: 'willow-wren' },
  { name: 'Fernhill Outfitters', slug: 'fernhill' },
  { name: 'Juniper Kitchenware', slug: 'juniper-kitchen' },
  { name: 'Harbor Lane Bikes', slug: 'harborlane' },
] as const;

export const TIMEZONES = ['America/Los_Angeles', 'America/New_York', 'Europe/London', 'Australia/Sydney'] as const;

export const FIRST_NAMES = [
  ...['Amara', 'Bruno', 'Chloé', 'Dmitri', 'Elif', 'Femi', 'Grace', 'Hana', 'Ivo', 'Jasmine', 'Kofi', 'Lucía'],
  ...['Mateo', 'Nadia', 'Oskar', 'Priya', 'Quinn', 'Rosa', 'Søren', 'Tomoko', 'Uma', 'Viktor', 'Wren', 'Yusuf'],
] as const;

export const LAST_NAMES = [
  ...['Abara', 'Brandt', 'Castillo', 'Dubois', 'Eriksen', 'Fontaine', 'Grover', 'Hayashi', 'Ibarra', 'Jansen'],
  ...['Kowalski', 'Lindqvist', 'Moreau', 'Nakamura', 'Okafor', 'Petrov', 'Quispe', 'Rahman', 'Silva', 'Tanaka'],
] as const;

export const STREETS = ['Alder Street', 'Quarry Road', 'Mill Lane', 'Beacon Avenue', 'Orchard Close'] as const;
export const CITIES = ['Portland, OR 97205', 'Madison, WI 53703', 'Asheville, NC 28801', 'Boise, ID 83702'] as const;

export const INBOXES = ['General', 'Email Inbox', 'VIP Care', 'Returns & Exchanges'] as const;
export const TEAMS = ['Front Line', 'Escalations', 'Weekend Crew'] as const;

/** Topics nest under a parent (gladly.md 2.2). */
export const TOPICS: readonly (readonly [parent: string, children: readonly string[]])[] = [
  ['Shipping', ['Late Delivery', 'Lost Parcel', 'Address Change']],
  ['Returns', ['Wrong Size', 'Damaged Merchandise', 'Changed Mind']],
  ['Billing', ['Refund Status', 'Discount Code']],
  ['Product Question', ['Sizing', 'Care Instructions']],
];

const PRODUCTS = [
  'trail jacket',
  'enamel kettle',
  'linen shirt',
  'commuter helmet',
  'wool blanket',
  'oak stool',
] as const;

const CUSTOMER_LINES = [
  'Hi! My order {order} still says "label created". Is the {product} on its way?',
  'The {product} arrived today with a crack along the side 😕 can I get a replacement?',
  'I need to change the delivery address for {order} before it ships. Is that still possible?',
  'The {product} is a size too small. What do I have to do to swap it?',
  'My code SPRING15 is refused at the checkout, it says "expired". Could you look?',
  'Thanks, that worked. One more thing: how do I wash the {product}?',
  "It's been nine days since I sent {order} back and there is no refund yet.",
  'Perfect, thank you so much!',
  '¿Puedo recoger el pedido {order} en la tienda?',
  'I got two of the {product}, but I only paid for one. What should I do?',
] as const;

const AGENT_LINES = [
  'Thanks for writing in! I have found {order}: the parcel left our warehouse this morning.',
  'I am sorry about that. A new {product} is on its way, and there is no need to send the old one back.',
  'Done: {order} now goes to the new address. You will get a confirmation in a few minutes.',
  'You can swap it for free. I have just sent you a return label for the {product}.',
  'I have put the discount on {order} by hand, please reload your cart.',
  'Cold water, gentle cycle, and let the {product} dry flat.\nAnything else I can do for you?',
  'Your refund was issued yesterday; banks usually take three to five days.',
] as const;

const NOTES = [
  'Customer called twice about {order}. Carrier claim opened, check again on Friday.',
  'Offered a replacement {product}. VIP: please answer within the hour.',
  'Refund approved by the shift lead.',
  'Photos of the damage are attached to the first mail.',
] as const;

const SUBJECTS = [
  'Where is order {order}?',
  'Problem with my {product}',
  'Return of {order}',
  'Question before I buy',
] as const;

const CALL_SUMMARIES = [
  'The customer asks about the delivery of order {order}. The agent finds the parcel and gives a new date.',
  'The customer reports a damaged {product}. The agent sends a replacement.',
] as const;

const LINES = {
  customer: CUSTOMER_LINES,
  agent: AGENT_LINES,
  note: NOTES,
  subject: SUBJECTS,
  summary: CALL_SUMMARIES,
} as const;

export function writeText(random: Random, kind: keyof typeof LINES): string {
  const product = random.pick(PRODUCTS);
  const order = `#${random.int(10_000, 99_999)}`;
  return random.pick<string>(LINES[kind]).replaceAll('{product}', product).replaceAll('{order}', order);
}
