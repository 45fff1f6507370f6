// What a reload does with a change of an option of the whole program: one table for what is told and what is done. Options of
// services are not here: a service with another one is another service.

import { keyOfOption } from './config-keys.ts';
import type { OptionTexts } from './option-texts.ts';

/**
 * `applied`: by the supervisor itself, or by the new workers. `kept`: what the supervisor began with stays until an upgrade
 * or a new start, in the workers too.
 */
export type OnReload = 'applied' | 'kept';

export const ON_RELOAD: Readonly<Record<string, OnReload>> = {
  'port-offset': 'applied',
  workers: 'applied',
  'drain-timeout': 'applied',
  'max-served': 'applied',
  'max-age': 'applied',
  'heartbeat-timeout': 'applied',
  'late-beat': 'applied',
  spare: 'applied',
  'max-workers': 'applied',
  'max-unsent': 'applied',
  backlog: 'applied',
  'log-level': 'applied',
  // The sockets are there, with what waits in them.
  accept: 'kept',
  dispatch: 'kept',
  'unix-mode': 'kept',
  // What is open or was given up can't be had again, or not by this process.
  'run-as': 'kept',
  limits: 'kept',
  control: 'kept',
  admin: 'kept',
  'admin-token-file': 'kept',
  'pid-file': 'kept',
  // Lines of two formats in one log are of use to nobody.
  'log-format': 'kept',
};

const isKept = (option: string, accept: string | undefined): boolean =>
  // The primary's own queue, where it is the one who accepts.
  ON_RELOAD[option] === 'kept' || (option === 'backlog' && accept === 'dispatch');

/** What workers are given: the options as they were read, but those that are kept as they were `first`. */
export function takenByReload(first: OptionTexts, next: OptionTexts): OptionTexts {
  const accept = first.accept?.[0];
  const isOf =
    (kept: boolean) =>
    ([option]: readonly [string, unknown]) =>
      isKept(option, accept) === kept;
  return Object.fromEntries([...Object.entries(next).filter(isOf(false)), ...Object.entries(first).filter(isOf(true))]);
}

/** The keys of what has changed since the supervisor began and is kept nevertheless. */
export function keptByReload(first: OptionTexts, next: OptionTexts): readonly string[] {
  const accept = first.accept?.[0];
  return [...new Set([...Object.keys(first), ...Object.keys(next)])]
    .filter((option) => isKept(option, accept) && JSON.stringify(first[option]) !== JSON.stringify(next[option]))
    .map(keyOfOption)
    .sort();
}
