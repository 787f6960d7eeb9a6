import { html as escaped } from 'ghtml';

/** Markup that is safe to send. Only `html` makes it, so a customer's text can never become markup by an oversight. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Piece = Html | string | number | boolean | null | undefined | readonly Piece[];

/**
 * A template of markup. Texts and numbers are escaped; what `html` made goes in as it is; lists are joined; null, undefined, true and
 * false leave nothing. Attributes are always written in double quotes.
 */
export function html(literals: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  return new Html(
    pieces.reduce<string>((text, piece, i) => text + shown(piece) + (literals[i + 1] ?? ''), literals[0] ?? ''),
  );
}

function shown(piece: Piece): string {
  if (piece === null || piece === undefined || typeof piece === 'boolean') return '';
  if (piece instanceof Html) return piece.text;
  if (typeof piece === 'object') return piece.map(shown).join('');
  return escaped`${piece}`;
}
