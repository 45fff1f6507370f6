// A status as text for Prometheus (its exposition format, version 0.0.4). Pure.

import { METRICS } from './metric-families.ts';
import type { ServerStatus } from './status.ts';

/** A label's value: backslash, quote and line feed are escaped. */
const escapeLabel = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** The whole status as metrics. Serve it as `text/plain; version=0.0.4`. */
export function prometheusText(status: ServerStatus): string {
  return METRICS.map(({ name, type, help, samples }) => {
    const lines = samples(status).map(({ labels, value }) => `${name}${labelsOf(labels)} ${value}`);
    return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.map((line) => `${line}\n`).join('')}`;
  }).join('');
}
