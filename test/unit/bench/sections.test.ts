import { expect, test } from 'vitest';
import { section, withSection } from '../../../bench/support/sections.ts';

test('a section is rewritten between its markers, and nothing else is touched', () => {
  const first = withSection('# Title\n\nWords.\n', 'one', 'a\nb');
  const second = withSection(first, 'two', 'c');
  const third = withSection(second, 'one', 'd');
  expect(section(second, 'one')).toBe('a\nb');
  expect(section(third, 'one')).toBe('d');
  expect(section(third, 'two')).toBe('c');
  expect(third.startsWith('# Title\n\nWords.\n')).toBe(true);
  expect(withSection(third, 'one', 'a\nb')).toBe(second);
});

test('a section that is not there is empty', () => {
  expect(section('text', 'one')).toBe('');
});
