// The admin page: its frame. What stands in it comes from page-script.ts, which fills the elements by their ids.

import { STATES } from './connection-query.ts';

export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>wellknown</title>
<link rel="stylesheet" href="/admin.css">
<script src="/admin.js" defer></script>
</head>
<body>
<header>
  <h1>wellknown</h1>
  <span id="state" class="pill" role="status">connecting</span>
  <span id="exchange" class="pill" hidden></span>
  <span id="process" class="quiet"></span>
  <form id="access">
    <label>Token <input id="token" type="password" autocomplete="off" size="16" placeholder="to read or act"></label>
    <button id="reload" type="button" disabled>Reload</button>
    <button id="drain" type="button" class="danger" disabled>Drain</button>
  </form>
</header>
<noscript><p class="notice">This page needs JavaScript. Without it there are <a href="/status.json">status.json</a>, <a href="/metrics">metrics</a> and <code>wellknown status</code>.</p></noscript>
<p id="notice" class="notice" role="alert" hidden></p>
<main id="main" hidden>
  <section id="tiles" aria-label="Now and in the last two minutes"></section>
  <section aria-labelledby="h-services">
    <h2 id="h-services">Services</h2>
    <table id="services"><thead><tr><th>service</th><th>listener</th><th class="number">open</th><th class="number">waiting</th><th class="number">queue</th><th class="number">accepted</th><th class="number">in / out datagrams</th><th>closed, by reason</th></tr></thead><tbody></tbody></table>
  </section>
  <section aria-labelledby="h-workers">
    <h2 id="h-workers">Workers</h2>
    <table id="workers"><thead><tr><th class="number">slot</th><th class="number">pid</th><th>is</th><th class="number">generation</th><th>load</th><th class="number">worst delay</th><th class="number">memory</th><th class="number">unsent</th><th class="number">open</th></tr></thead><tbody></tbody></table>
    <p id="supervision" class="quiet"></p>
  </section>
  <section id="happened" aria-labelledby="h-events">
    <h2 id="h-events">Events</h2>
    <table id="events"><tbody></tbody></table>
  </section>
  <section aria-labelledby="h-connections">
    <h2 id="h-connections">Connections <span id="connection-count" class="quiet"></span></h2>
    <form id="which" class="quiet">
      <label>service <select name="service"><option value="">all</option></select></label>
      <label>from <input name="remote" type="search" size="20" placeholder="address or range" autocomplete="off"></label>
      <label>is <select name="state"><option value="">anything</option>${STATES.map((state) => `<option>${state}</option>`).join('')}</select></label>
      <label>first <select name="order"><option value="newest">the newest</option><option value="oldest">the oldest</option><option value="received">most received</option><option value="sent">most sent</option></select></label>
      <span class="pages"><button id="before" type="button" disabled>Previous</button> <button id="after" type="button" disabled>Next</button></span>
    </form>
    <p id="connection-notice" class="warn" role="status" hidden></p>
    <table id="connections"><thead><tr><th>service</th><th class="number">worker</th><th>remote</th><th>local</th><th>is</th><th class="number">age</th><th class="number">received</th><th class="number">sent</th><th>doing</th></tr></thead><tbody></tbody></table>
  </section>
</main>
</body>
</html>
`;
