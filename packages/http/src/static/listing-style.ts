// How a listing looks: the reader's own colours and font sizes, light or dark, from a phone to a wide screen.

export const LISTING_STYLE = `
:root { color-scheme: light dark; --ink: #1c2024; --soft: #5b6470; --line: #e3e5e8; --hover: #f3f6fa; --accent: #0b5fc4; --paper: #fff; --odd: #a3420a }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --soft: #9aa3ad; --line: #2c3138; --hover: #1f252c; --accent: #74b4ff; --paper: #14181c; --odd: #ffb27d } }
* { box-sizing: border-box }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem }
h1 { position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
ol { list-style: none; display: flex; flex-wrap: wrap; margin: 0 .6rem 1.5rem; padding: 0; font-size: 1.35rem; letter-spacing: -.01em; overflow-wrap: anywhere }
li:not(:first-child)::after { content: "/" / ""; color: var(--soft); padding: 0 .2em }
li:first-child { padding-right: .3em } li [aria-current] { color: var(--ink); font-weight: 600 }
a { color: var(--accent); text-decoration: none; border-radius: 3px }
a:hover { text-decoration: underline }
a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { text-align: right; white-space: nowrap; width: 1%; padding: .5rem .6rem; border-bottom: 1px solid var(--line); font-weight: 400 }
thead th { font-size: .8rem; font-weight: 600 } thead a { color: var(--soft); padding: .3rem 0 } thead span { display: inline-block; width: 1em; margin-left: .2em }
th:first-child { text-align: left; white-space: pre-wrap; overflow-wrap: anywhere; width: auto; position: relative } tbody th { padding-left: 2.35rem }
td, footer { color: var(--soft); font-size: .9rem }
td i { font-style: normal; display: inline-block; min-width: 2.1em; text-align: left; padding-left: .3em }
tbody tr:hover { background: var(--hover) }
svg { position: absolute; left: .6rem; top: .72rem; width: 1.1rem; height: 1.1rem; fill: none; stroke: var(--soft); stroke-linejoin: round; stroke-linecap: round }
.directory a { font-weight: 600 } .directory svg { stroke: var(--accent) } .directory .folder { fill: var(--accent); fill-opacity: .15 }
.odd { font-size: .7em; font-weight: 400; color: var(--odd); border: 1px solid; border-radius: 3px; padding: 0 .25em; margin: 0 .1em; unicode-bidi: isolate }
footer { margin: 1.25rem .6rem 0; display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; justify-content: space-between }
footer nav { display: flex; gap: 1.25rem }
@media (max-width: 38rem) { main { padding: 1.25rem .5rem 3rem } time span { display: none } }
@media (max-width: 25rem) { thead th:last-child, td:last-child { display: none } }`;

/** Drawn once, and named by every row: nothing may be loaded, not even from this page. */
export const DRAWINGS =
  '<svg hidden><symbol id="d" viewBox="0 0 16 16"><path d="M1.5 13V3.5h4.2l1.6 1.8h7.2V13z"/></symbol><symbol id="f" viewBox="0 0 16 16"><path d="M3.5 1.5h5.7l3.3 3.3v9.7h-9zM9 1.7v3.4h3.3"/></symbol><symbol id="u" viewBox="0 0 16 16"><path d="M12.5 13.5v-3a2 2 0 0 0-2-2h-7M6.5 5.5l-3 3 3 3"/></symbol></svg>';
export const ICONS = {
  directory: '<svg class="folder" aria-hidden="true"><use href="#d"/></svg>',
  file: '<svg aria-hidden="true"><use href="#f"/></svg>',
  up: '<svg aria-hidden="true"><use href="#u"/></svg>',
} as const;
