// HELP and FEAT: what the command table says of itself.

import type { Outcome } from '../effects.ts';
import { ALL_FACTS, factsFeature } from '../listing/format.ts';
import { REPLY, reply } from '../replies.ts';
import type { SessionState } from '../session-state.ts';
import { isOffered, type Call, type CommandSpec } from './command-spec.ts';
import { hashFeature } from './checksums.ts';
import { siteHelp } from './site.ts';

type Rows = readonly (readonly [string, CommandSpec])[];

const VERBS_PER_LINE = 8;

const offeredRows = (table: Rows, { session, state }: Call<SessionState>): Rows =>
  table.filter(([, spec]) => isOffered(spec, session, state));

/** HELP: the commands that are offered, or the syntax of one (RFC 959 §4.1.3). */
export function help(call: Call<SessionState>, table: Rows): Outcome {
  const { state, argument, session } = call;
  const rows = offeredRows(table, call);
  const wanted = argument.trim().toUpperCase();
  if (/^SITE(?: |$)/.test(wanted)) return { state, reply: siteHelp(session, wanted.slice('SITE'.length)) };
  if (wanted !== '') {
    const row = rows.find(([verb]) => verb === wanted);
    return {
      state,
      reply:
        row === undefined
          ? REPLY.noSuchCommand
          : reply(
              214,
              // Replies are ASCII, but for names.
              `${row[1].help} (RFC ${row[1].rfc.replaceAll(' §', ', section ')})`
                .replace('RFC none', 'no RFC')
                .replace('RFC draft', 'draft'),
            ),
    };
  }
  const lines: string[] = [];
  for (let at = 0; at < rows.length; at += VERBS_PER_LINE)
    lines.push(
      rows
        .slice(at, at + VERBS_PER_LINE)
        .map(([verb]) => verb)
        .join(' '),
    );
  return { state, reply: reply(214, 'The following commands are recognized:', ...lines, 'End') };
}

/** FEAT: what goes beyond RFC 959, read from the rows; UTF8 and TVFS belong to no command (RFC 2640, RFC 3659 §6). */
export function feat(call: Call<SessionState>, table: Rows): Outcome {
  const { state } = call;
  const facts = state.at === 'ready' ? state.facts : ALL_FACTS;
  const detail: Readonly<Record<string, string>> = {
    MLST: ` ${factsFeature(facts)}`,
    HASH: ` ${hashFeature(state.at === 'ready' ? state.hashAlgorithm : 'sha256')}`,
  };
  const features = offeredRows(table, call).flatMap(([, { feature }]) =>
    feature === undefined ? [] : [feature + (detail[feature] ?? '')],
  );
  return { state, reply: reply(211, 'Features:', ...features, 'TVFS', 'UTF8', 'End') };
}
