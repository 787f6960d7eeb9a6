import { type Html, html } from '../pages/html.ts';
import { card, type StepView } from './card.ts';

/** Step 1 of Gladly's set-up article (gladly.md 1.6): only the customer can do it, and step 2 shows whether it was done right. */
export function userStep(view: StepView): Html {
  return card({
    number: 1,
    title: 'Make a Gladly user for Idiomatic',
    state: view,
    // What was done is being checked: the next step is where to look.
    folded: view === 'done' || view === 'checking',
    body: html`<ol class="todo">
<li>In Gladly, open <b>Settings &gt; Users</b> and add a user. Take an email address of its own, such as <i>idiomatic@your-company.com</i>, whose mail you can read.</li>
<li>Give the user three roles: <b>API User</b>, <b>Agent</b> and <b>Administrator</b>. Save.</li>
<li>Gladly sends an invitation to that address. Open it within 24 hours and choose a password.</li>
<li>Signed in to Gladly as that user, open <b>API Tokens</b>, create a token, and copy it. Gladly shows it only once.</li>
</ol>
<p>Keep the email address and the token at hand: step 2 asks for both.</p>`,
  });
}
