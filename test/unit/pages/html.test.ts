import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html } from '../../../src/api/pages/html.ts';

describe('html', () => {
  it('lets no text become markup', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const inside = html`<p title="${text}">${text}</p>`.text.slice('<p title="'.length, -'</p>'.length);
        const [title, ...rest] = inside.split('">');
        expect(rest).toHaveLength(1);
        expect(`${title}${rest[0]}`).not.toMatch(/[<>"']/);
      }),
    );
  });

  it('puts in what it made itself, joins lists, and leaves out what is not there', () => {
    const items = ['a', 'b'].map((it) => html`<li>${it}</li>`);
    expect(html`<ul>${items}${null}${undefined}${false}${0}</ul>`.text).toBe('<ul><li>a</li><li>b</li>0</ul>');
  });
});
