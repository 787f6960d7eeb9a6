// What the console does in the browser besides what page.js and htmx do: charts, drawn by uPlot from /measurements, and the address of a
// list that was searched.
const REFRESH_MS = 15_000;
const HEIGHT = 180;

const CHARTS = [
  {
    title: 'Events in and stored',
    lines: [
      { of: 'accepted', label: 'In', colour: '--busy' },
      { of: 'stored', label: 'Stored', colour: '--good' },
    ],
  },
  { title: 'Waiting', lines: [{ of: 'waiting', label: 'Waiting', colour: '--warn' }] },
  {
    title: 'Freshness, in seconds',
    lines: [
      { of: 'p50', label: 'Half within', colour: '--accent', unit: ' s' },
      { of: 'p99', label: '99 % within', colour: '--bad', unit: ' s' },
    ],
  },
];

/** A colour of style.css; light-dark() is resolved only where it is used. */
function resolved(name) {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function frame({ title }) {
  const figure = document.createElement('div');
  figure.className = 'chart';
  const heading = document.createElement('p');
  heading.className = 'label';
  heading.textContent = title;
  figure.append(heading);
  return figure;
}

function draw(figure, { lines }, data) {
  const grid = { stroke: resolved('--line'), width: 1 };
  const axis = { stroke: resolved('--quiet'), grid, ticks: grid };
  const times = { ...axis, values: (_, splits) => splits.map((at) => tick.format(at * 1_000)), space: 70 };
  const options = {
    width: figure.clientWidth,
    height: HEIGHT,
    scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
    axes: [times, { ...axis, size: 56 }],
    series: [
      { label: 'Time', value: (_, at) => (at == null ? '–' : exactly.format(at * 1_000)) },
      ...lines.map(({ label, colour: name, unit = '' }) => ({
        label,
        stroke: resolved(name),
        width: 2,
        // Freshness is measured now and then: lone values are dots.
        points: { show: unit !== '', size: 5, fill: resolved(name) },
        value: (_, value) => (value == null ? '–' : `${Math.round(value * 100) / 100}${unit}`),
      })),
    ],
  };
  return new uPlot(options, [data.at, ...lines.map(({ of }) => data[of])], figure);
}

const clock = { hour: '2-digit', minute: '2-digit' };
const exactly = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', ...clock });
let tick;
let place;
let plots = [];
let shown;
let width;

function drawAll() {
  for (const plot of plots) plot.destroy();
  // All frames first: how wide one is depends on how many there are.
  const figures = CHARTS.map(frame);
  place.replaceChildren(...figures);
  plots = CHARTS.map((chart, i) => draw(figures[i], chart, shown));
  width = place.clientWidth;
}

async function refresh() {
  const here = document.getElementById('plots');
  if (!here || document.hidden) return;
  const answer = await fetch(here.dataset.url, { headers: { accept: 'application/json' } }).catch(() => null);
  // A session that ended leads to the sign-in page; the rest of the page says so.
  if (!answer?.ok || answer.redirected) return;
  shown = await answer.json();
  if (here === place) {
    for (const [i, plot] of plots.entries()) plot.setData([shown.at, ...CHARTS[i].lines.map(({ of }) => shown[of])]);
    return;
  }
  place = here;
  const ofDays = Number(place.dataset.step) >= 3_600;
  tick = new Intl.DateTimeFormat(undefined, ofDays ? { day: 'numeric', month: 'short' } : clock);
  drawAll();
}

void refresh();
setInterval(() => void refresh(), REFRESH_MS);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => place && drawAll());
addEventListener('resize', () => place && place.clientWidth !== width && drawAll());

document.addEventListener('htmx:after:swap', ({ detail }) => {
  // The answer to a form has taken the place of the page.
  if (document.getElementById('plots') !== place) void refresh();
  // What was found by typing is found again when the page is loaded anew.
  const finder = detail?.ctx?.sourceElement;
  if (finder?.matches?.('.finder')) {
    history.replaceState(null, '', `${finder.getAttribute('action')}?${new URLSearchParams(new FormData(finder))}`);
  }
});
