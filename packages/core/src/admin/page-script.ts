// The admin page: what runs in the browser, as it is written here. It reads the server-sent events of /events by fetch,
// since an EventSource can send no token, and writes by textContent alone: what a peer has sent is text, never markup.

export const SCRIPT = `'use strict';
const at = (id) => document.getElementById(id);
const KEPT = 120;
const samples = [];
let latest;
at('token').value = sessionStorage.getItem('token') ?? '';

const headers = () => {
  const token = at('token').value.trim();
  return token === '' ? {} : { authorization: 'Bearer ' + token };
};
const notice = (text) => {
  at('notice').textContent = text;
  at('notice').hidden = text === '';
};
const element = (name, { className = '', text = '', ...rest } = {}, ...children) => {
  const made = Object.assign(document.createElement(name), rest);
  if (className !== '') made.className = className;
  if (text !== '') made.textContent = text;
  made.append(...children);
  return made;
};
const whole = (value) => Math.round(value).toLocaleString('en');
const bytes = (value) => {
  if (value === undefined) return '';
  const unit = value >= 1e9 ? [1e9, ' GB'] : value >= 1e6 ? [1e6, ' MB'] : value >= 1e3 ? [1e3, ' kB'] : [1, ' B'];
  return (value / unit[0]).toFixed(value >= 1e3 && value / unit[0] < 100 ? 1 : 0) + unit[1];
};
const age = (ms) => {
  if (ms === undefined) return '';
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return seconds + ' s';
  if (seconds < 3600) return Math.floor(seconds / 60) + ' min ' + (seconds % 60) + ' s';
  return Math.floor(seconds / 3600) + ' h ' + (Math.floor(seconds / 60) % 60) + ' min';
};
const total = (counts) => Object.values(counts).reduce((sum, count) => sum + count, 0);
// What is being selected, to be copied, stays.
const isSelecting = (table) => !getSelection().isCollapsed && table.contains(getSelection().anchorNode);
const rows = (id, list) => {
  if (!isSelecting(at(id))) at(id).tBodies[0].replaceChildren(...list);
};
const row = (...cells) =>
  element('tr', {}, ...cells.map((cell) =>
    cell instanceof Node ? element('td', {}, cell)
      : typeof cell === 'object' ? element('td', { className: 'number', text: cell.number })
      : element('td', { text: cell })));
const number = (text) => ({ number: String(text) });

// Numbers of one moment; rates are the difference of two.
const summarize = ({ atMs, status }) => {
  const sum = (value) => status.services.reduce((whole, service) => whole + value(service), 0);
  const serving = status.workers.filter((worker) => worker.at === 'ready');
  const processes = serving.length === 0 ? [status] : serving;
  return {
    atMs,
    open: sum((service) => service.connections.open),
    waiting: sum((service) => service.connections.waiting + service.backlog),
    accepted: sum((service) => service.connections.accepted),
    closed: sum((service) => total(service.connections.closed)),
    datagrams: sum((service) => service.datagrams.received),
    dropped: sum((service) =>
      Object.entries(service.datagrams).reduce((whole, [name, count]) => whole + (name.startsWith('dropped') ? count : 0), 0) +
      Object.entries(service.connections.closed).reduce((whole, [reason, count]) =>
        whole + (/-limit$|-rate$|^denied$|^unsent-/.test(reason) ? count : 0), 0)),
    busy: Math.max(...processes.map((one) => one.eventLoop.busy)),
    memory: [status, ...status.workers].reduce((whole, one) => whole + one.memory.residentBytes, 0),
    unsent: [status, ...status.workers].reduce((whole, one) => whole + one.memory.unsentBytes, 0),
  };
};
const rate = (name) => (sample, before) =>
  before === undefined ? 0 : Math.max(0, ((sample[name] - before[name]) * 1000) / (sample.atMs - before.atMs));
const TILES = [
  ['connections open', (sample) => sample.open, whole],
  ['accepted / s', rate('accepted'), whole],
  ['closed / s', rate('closed'), whole],
  ['waiting', (sample) => sample.waiting, whole],
  ['datagrams / s', rate('datagrams'), whole],
  ['turned away, dropped / s', rate('dropped'), whole],
  ['busiest event loop', (sample) => sample.busy * 100, (value) => value.toFixed(0) + ' %'],
  ['memory', (sample) => sample.memory, bytes],
  ['unsent for slow readers', (sample) => sample.unsent, bytes],
];
const plot = (values) => {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const width = Math.max(29, values.length - 1);
  svg.setAttribute('viewBox', '0 0 ' + width + ' 34');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  const top = Math.max(1, ...values);
  const first = width + 1 - values.length;
  const points = values.map((value, index) => first + index + ',' + (33 - (value / top) * 31).toFixed(1));
  for (const [name, text] of [
    ['polygon', [first + ',34', ...points, width + ',34'].join(' ')],
    ['polyline', points.join(' ')],
  ]) {
    const shape = document.createElementNS('http://www.w3.org/2000/svg', name);
    shape.setAttribute('points', text);
    svg.append(shape);
  }
  return svg;
};
const showTiles = () =>
  at('tiles').replaceChildren(...TILES.map(([name, value, format]) => {
    const values = samples.map((sample, index) => value(sample, samples[index - 1]));
    return element('div', { className: 'tile' },
      element('span', { className: 'quiet', text: name }), element('b', { text: format(values.at(-1)) }), plot(values));
  }));

const reasons = (closed) =>
  Object.entries(closed).sort((a, b) => b[1] - a[1]).map(([reason, count]) => reason + ' ' + whole(count)).join(', ');
const showServices = ({ services }) =>
  rows('services', services.flatMap((service) =>
    service.listeners.map(({ endpoint, connections, backlog, datagrams }, index) =>
      row(index === 0 ? service.name : '', endpoint, number(whole(connections.open)), number(whole(connections.waiting)),
        number(whole(backlog)), number(whole(connections.accepted)),
        number(endpoint.startsWith('udp:') ? whole(datagrams.received) + ' / ' + whole(datagrams.sent) : ''),
        reasons(connections.closed)))));

const COLOURS = { ready: 'good', listening: 'good', starting: 'warn', draining: 'warn', reloading: 'warn', upgrading: 'warn' };
const showWorkers = ({ workers, services, supervision }) => {
  const openOf = (slot) => services.reduce((sum, service) =>
    sum + service.byWorker.filter((share) => share.slot === slot).reduce((whole, share) =>
      whole + share.listeners.reduce((part, { connections }) => part + connections.open, 0), 0), 0);
  rows('workers', workers.sort((a, b) => a.slot - b.slot).map((worker) =>
    row(number(worker.slot), number(worker.pid), element('span', { className: COLOURS[worker.at] ?? '', text: worker.at }),
      number(worker.generation),
      element('span', { className: 'whole' }, element('meter', { max: 1, high: 0.9, value: worker.eventLoop.busy }),
        ' ' + Math.round(worker.eventLoop.busy * 100) + ' %'),
      number(worker.eventLoop.delayMs.max.toFixed(0) + ' ms'), number(bytes(worker.memory.residentBytes)),
      number(bytes(worker.memory.unsentBytes)), number(whole(openOf(worker.slot))))));
  at('supervision').textContent = workers.length === 0 ? 'There are none: this process serves alone.'
    : supervision.started + ' started' + Object.entries(supervision.ended).map(([why, count]) => ', ' + count + ' ' + why).join('');
};

// The connections are a list of their own: the server looks through all of them, and sends a page.
const PAGE_LENGTH = 100;
const MAX_OFFSET = 10000;
const which = at('which').elements;
let offset = 0;
let listing = new AbortController();
let isListing = false;
const showConnections = ({ count, connections, isWhole, unanswered }) => {
  const last = offset + connections.length;
  const shown = connections.length === 0 ? '0' : offset + 1 === last ? String(last) : whole(offset + 1) + '–' + whole(last);
  const isAll = which.service.value + which.remote.value.trim() + which.state.value === '';
  at('connection-count').textContent =
    shown + ' shown of ' + whole(count) + (isWhole ? '' : ' and more') + (isAll ? ' open' : ' that match');
  at('before').disabled = offset === 0;
  at('after').disabled = last >= count || last > MAX_OFFSET;
  connectionNotice(unanswered.length === 0 ? '' : 'No answer in time from worker ' + unanswered.join(', '));
  rows('connections', connections.map((pair) =>
    row(pair.service, number(pair.worker), pair.remote, pair.local, pair.state, number(age(pair.ageMs)),
      number(bytes(pair.receivedBytes)), number(bytes(pair.sentBytes)), pair.doing ?? '')));
};
const connectionNotice = (text) => {
  at('connection-notice').textContent = text;
  at('connection-notice').hidden = text === '';
};
const list = async () => {
  isListing = true;
  const { signal } = listing;
  const query = new URLSearchParams({ offset, limit: PAGE_LENGTH });
  for (const name of ['service', 'remote', 'state', 'order'])
    if (which[name].value.trim() !== '') query.set(name, which[name].value.trim());
  try {
    const response = await fetch('/connections?' + query, { headers: headers(), signal });
    const answer = response.ok ? await response.json() : await response.text();
    if (signal.aborted) return;
    if (!response.ok) connectionNotice(answer);
    else if (answer.connections.length === 0 && offset > 0) listAnew(0);
    else showConnections(answer);
  } catch {
    // The connection is lost, or something else is wanted by now.
  } finally {
    if (!signal.aborted) isListing = false;
  }
};
const listAnew = (from) => {
  offset = from;
  listing.abort();
  listing = new AbortController();
  void list();
};
const showServiceNames = ({ services }) => {
  const names = services.map(({ name }) => name).filter((name, index, all) => all.indexOf(name) === index);
  if (which.service.options.length === names.length + 1) return;
  const { value } = which.service;
  which.service.replaceChildren(element('option', { text: 'all', value: '' }), ...names.map((text) => element('option', { text })));
  which.service.value = names.includes(value) ? value : '';
};

const showStatus = (message) => {
  latest = message.status;
  at('main').hidden = false;
  at('main').className = '';
  // What is wider than the window is reached by the keyboard.
  for (const section of document.querySelectorAll('section'))
    section.tabIndex = section.scrollWidth > section.clientWidth || section.scrollHeight > section.clientHeight ? 0 : -1;
  samples.push(summarize(message));
  if (samples.length > KEPT) samples.shift();
  at('state').textContent = latest.state;
  at('state').className = 'pill ' + (COLOURS[latest.state] ?? 'bad');
  // Only where machines share them.
  const exchange = latest.limitsExchange;
  at('exchange').hidden = exchange === undefined;
  at('exchange').textContent = exchange?.connected ? 'limits shared' : 'limits of this machine alone';
  at('exchange').className = 'pill ' + (exchange?.connected ? 'good' : 'warn');
  at('process').textContent = latest.role + ', pid ' + latest.pid;
  for (const id of ['reload', 'drain']) at(id).disabled = at('token').value === '' || latest.state !== 'listening';
  showTiles();
  showServices(latest);
  showWorkers(latest);
  showServiceNames(latest);
  // The next one when the last has been answered, and only where somebody sees it.
  if (!isListing && !document.hidden) void list();
};
const showEvents = (news) => {
  const made = news.map(({ atMs, what }) => row(new Date(atMs).toLocaleTimeString(), what)).reverse();
  at('events').tBodies[0].prepend(...made);
  while (at('events').rows.length > 100) at('events').deleteRow(-1);
};

const handle = (block) => {
  const name = /^event: (.*)$/m.exec(block)?.[1];
  const data = /^data: (.*)$/m.exec(block)?.[1];
  if (data === undefined) return;
  if (name === 'status') showStatus(JSON.parse(data));
  if (name === 'events') showEvents(JSON.parse(data));
};
/** Of a token the answer speaks as to a program. */
const refusal = (response) => {
  if (response.status !== 401) return response.text();
  return at('token').value.trim() === '' ? 'Type the token of this server above to see what it is doing.' : 'The token is wrong.';
};
let reading = new AbortController();
const read = async () => {
  const { signal } = reading;
  const response = await fetch('/events', { headers: headers(), signal });
  if (!response.ok) {
    notice(await refusal(response));
    return;
  }
  notice('');
  at('events').tBodies[0].replaceChildren();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ''; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (text + value).split('\\n\\n');
    text = blocks.pop();
    for (const block of blocks) handle(block);
  }
};
const follow = async () => {
  for (;;) {
    await read().catch(() => undefined);
    at('state').textContent = 'not connected';
    at('state').className = 'pill bad';
    at('main').className = 'stale';
    for (const id of ['reload', 'drain']) at(id).disabled = true;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
};
const press = async (path) => {
  const response = await fetch(path, { method: 'POST', headers: headers() });
  notice(response.ok ? '' : await refusal(response));
};
at('access').addEventListener('submit', (event) => event.preventDefault());
at('token').addEventListener('change', () => {
  sessionStorage.setItem('token', at('token').value);
  reading.abort();
  reading = new AbortController();
});
at('which').addEventListener('submit', (event) => event.preventDefault());
at('which').addEventListener('input', () => listAnew(0));
at('before').addEventListener('click', () => listAnew(Math.max(0, offset - PAGE_LENGTH)));
at('after').addEventListener('click', () => listAnew(offset + PAGE_LENGTH));
at('reload').addEventListener('click', () => press('/reload'));
at('drain').addEventListener('click', () => {
  if (confirm('Stop accepting, let work in flight finish, and end?')) press('/drain');
});
follow();
`;
