// The admin page: how it looks, by the colours that its reader prefers.

export const STYLE = `:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --sheet: #ffffff; --ink: #1b2430; --quiet: #5d6877; --line: #dde2e9;
  --accent: #1f6feb; --good: #1a7f4b; --warn: #9a6200; --bad: #c0282d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #10151c; --sheet: #182029; --ink: #e4e9f0; --quiet: #94a1b2; --line: #2a3542;
    --accent: #6ba6ff; --good: #4ec98b; --warn: #e3b04b; --bad: #ff7b72;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 14px/1.45 system-ui, sans-serif; }
header {
  display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; padding: 0.75rem 1.25rem;
  background: var(--sheet); border-bottom: 1px solid var(--line); position: sticky; top: 0; z-index: 1;
}
h1 { font-size: 1.15rem; margin: 0; letter-spacing: 0.01em; }
h2 { font-size: 0.95rem; margin: 0 0 0.5rem; }
header form { margin-left: auto; display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; }
main[hidden], .pill[hidden] { display: none; }
main { padding: 1.25rem; display: grid; gap: 1.25rem; max-width: 90rem; margin: 0 auto; }
section { background: var(--sheet); border: 1px solid var(--line); border-radius: 10px; padding: 1rem; overflow-x: auto; }
#tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(12.5rem, 1fr)); gap: 0.75rem; background: none; border: 0; padding: 0; }
.tile { background: var(--sheet); border: 1px solid var(--line); border-radius: 10px; padding: 0.7rem 0.85rem 0.5rem; }
.tile b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; font-weight: 600; }
.tile svg { display: block; width: 100%; height: 34px; margin-top: 0.25rem; }
.tile polyline { fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.tile polygon { fill: var(--accent); opacity: 0.12; }
main.stale { opacity: 0.55; }
#happened { max-height: 14rem; overflow-y: auto; }
#happened:not(:has(tr))::after { content: 'none yet'; color: var(--quiet); }
#which select { max-width: 14rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; color: var(--quiet); white-space: nowrap; }
th, td { padding: 0.3rem 0.9rem 0.3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:last-child td { border-bottom: 0; }
.number { text-align: right; }
.number, .whole { white-space: nowrap; }
.quiet { color: var(--quiet); font-size: 0.9em; font-weight: 400; }
.pill { border-radius: 999px; padding: 0.1rem 0.65rem; border: 1px solid currentColor; font-size: 0.9em; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
#which { display: flex; flex-wrap: wrap; gap: 0.4rem 1rem; align-items: center; margin-bottom: 0.5rem; }
#which .pages { margin-left: auto; white-space: nowrap; }
#connection-notice { margin: 0 0 0.5rem; }
meter { width: 6rem; vertical-align: middle; }
input, button, select { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: 0.25rem 0.6rem; }
button { cursor: pointer; } button:disabled { opacity: 0.45; cursor: default; }
button.danger { color: var(--bad); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.notice { margin: 1rem 1.25rem 0; padding: 0.6rem 1rem; border-radius: 8px; border: 1px solid var(--warn); color: var(--warn); background: var(--sheet); }
/* Last, for what is above goes for every width. */
@media (max-width: 40rem) {
  header { position: static; } header form { margin-left: 0; }
  main { padding: 0.75rem; } #tiles { grid-template-columns: 1fr 1fr; }
  #which .pages { margin-left: 0; } td { white-space: nowrap; } #events td { white-space: normal; }
}
@media (prefers-contrast: more) { :root { --quiet: var(--ink); --line: var(--ink); } }
@media (forced-colors: active) { .tile polyline { stroke: CanvasText; } .tile polygon { fill: none; } }
`;
