// What every page does in the browser. htmx does the rest; without JavaScript the pages work, and only this is missing.
const root = document.documentElement;
root.classList.add('js');

// --- times in the reader's zone, the exact one on hover
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: 'auto' });
const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

function inWords(at, style) {
  const now = new Date();
  if (style !== 'ago') return (at.toDateString() === now.toDateString() ? clock : day).format(at);
  const seconds = Math.round((at.getTime() - now.getTime()) / 1_000);
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1];
  return relative.format(Math.trunc(seconds / size), unit);
}

function showTimes() {
  for (const element of document.querySelectorAll('time[data-time]')) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const words = inWords(at, element.dataset.time);
    if (element.textContent !== words) element.textContent = words;
    const full = exact.format(at);
    if (element.title !== full) element.title = full;
  }
}
showTimes();
setInterval(showTimes, 1_000);
// Before what htmx swapped in is painted.
new MutationObserver(showTimes).observe(document.body, { childList: true, subtree: true, characterData: true });

// --- <button data-copy="id of what to copy">
document.addEventListener('click', async ({ target }) => {
  const button = target instanceof Element ? target.closest('button[data-copy]') : null;
  const source = button && document.getElementById(button.dataset.copy);
  if (!source) return;
  // Only its first words: what they belong to stays, for screen readers.
  const words = button.firstChild;
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
    words.data = 'Copied';
  } catch {
    // Not allowed, or not over TLS: at least it is selected.
    getSelection()?.selectAllChildren(source);
    words.data = 'Selected: press Ctrl+C';
  }
  setTimeout(() => {
    words.data = 'Copy';
  }, 2_000);
});

// --- fields that can be looked at here say so as they are typed: <input data-check="id of what it says" data-good data-bad>
document.addEventListener('input', ({ target }) => {
  const says = target instanceof HTMLInputElement && document.getElementById(target.dataset.check);
  if (!says) return;
  const state = target.value === '' ? '' : target.validity.valid ? 'good' : 'bad';
  says.textContent = state && target.dataset[state];
  says.className = `says ${state}`;
  target.removeAttribute('aria-invalid');
});

// --- a form is sent once, until it has been answered
const sending = new WeakSet();
document.addEventListener(
  'submit',
  (event) => {
    if (sending.has(event.target)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    sending.add(event.target);
    mark(event.target, true);
  },
  true,
);
function mark(form, busy) {
  for (const button of form.querySelectorAll('button:not([type="button"])')) {
    if (busy) button.setAttribute('aria-disabled', 'true');
    else button.removeAttribute('aria-disabled');
  }
}
function sent(form) {
  sending.delete(form);
  mark(form, false);
}
document.addEventListener('htmx:finally:request', ({ target }) => target instanceof HTMLFormElement && sent(target));
// Back from the browser's cache: what was sent is long answered.
addEventListener('pageshow', () => [...document.forms].forEach(sent));

// --- when the server cannot be reached, the page says so and keeps what was typed
const banner = document.getElementById('connection');
const troubles = { form: '', stream: '' };
/** `of`: the page may go on following while a form could not be sent, and the other way round. */
function say(of, text) {
  troubles[of] = text;
  const all = Object.values(troubles).filter(Boolean).join(' ');
  if (banner.textContent !== all) banner.textContent = all;
  banner.hidden = all === '';
}
const isForm = (target) => target instanceof HTMLFormElement;
const LOST = 'The connection was lost. We are trying again; you need not do anything.';
// Nothing here can tell whether a form whose answer did not come was acted upon.
const UNANSWERED =
  'No answer. It may still have been done: this page shows it as soon as we know. What you typed is still here.';
const SENDING_MS = 1_000;
let sendingSince;
let sentForm;
/** How the tenant stood when an answer did not come: once it stands otherwise, the page shows what has become of it. */
let stoodAs;
const standing = () => document.querySelector('[data-standing]')?.dataset.standing;
const unanswered = () => {
  stoodAs = standing();
  say('form', UNANSWERED);
};
document.addEventListener('htmx:sse:error', () => say('stream', LOST));
document.addEventListener('htmx:error', ({ target }) => isForm(target) && unanswered());
document.addEventListener('htmx:response:error', ({ target, detail }) => {
  if (detail.ctx.response.status < 500) return;
  if (isForm(target)) unanswered();
  else say('stream', LOST);
});
// Tried once more: what was said of the last time is over.
document.addEventListener('htmx:before:request', ({ target }) => {
  if (!isForm(target)) return;
  say('form', '');
  clearTimeout(sendingSince);
  sentForm = target;
  sendingSince = setTimeout(() => sentForm?.isConnected && say('form', 'Sending…'), SENDING_MS);
});
const answered = () => {
  clearTimeout(sendingSince);
  sentForm = undefined;
  if (troubles.form === 'Sending…') say('form', '');
};
document.addEventListener('htmx:finally:request', ({ target }) => isForm(target) && answered());

// --- what the stream of updates says besides what it shows. It says at least every few seconds that it is there.
const QUIET_MS = 10_000;
let heardAt;
const heard = () => {
  heardAt = Date.now();
  say('stream', '');
};
const exactClock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
setInterval(() => {
  if (heardAt !== undefined && Date.now() - heardAt > QUIET_MS)
    say('stream', `Not updated since ${exactClock.format(heardAt)}. We are trying again; you need not do anything.`);
}, 1_000);
document.addEventListener('htmx:sse:after:connection', heard);
document.addEventListener('beat', heard);
document.addEventListener('htmx:after:swap', () => {
  // An answer that takes the place of its form: no event of the form gets here any more.
  if (sentForm && !sentForm.isConnected) answered();
  if (troubles.form === UNANSWERED && standing() !== stoodAs) say('form', '');
  if (heardAt !== undefined) heard();
});
document.addEventListener('reload', () => location.reload());
document.addEventListener('stale', () => {
  heardAt = undefined;
  say('stream', 'We cannot tell at the moment how far it is. What you see may be old; we go on trying.');
});
document.addEventListener('fresh', heard);
