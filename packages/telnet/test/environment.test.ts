import { expect, test } from 'vitest';
import { programEnvironment, type EnvironmentOptions } from '../src/program/environment.ts';

const terminal: EnvironmentOptions['terminal'] = { type: 'xterm', environment: new Map([['LANG', 'de_DE.UTF-8']]) };
const ANN = { name: 'ann', home: '/home/ann', shell: '/bin/zsh' };
const OWN = { PATH: '/bin', USER: 'root', LOGNAME: 'root', HOME: '/root', SHELL: '/bin/bash', SECRET: 'x', LANG: 'C' };

const environment = (options: Partial<EnvironmentOptions>): Record<string, string> =>
  programEnvironment({ own: OWN, terminal, isDumb: false, ...options });

test('a program gets what of ours it needs, the type of the terminal, and what the operator lets in or gives', () => {
  expect(environment({})).toEqual({
    PATH: '/bin',
    USER: 'root',
    LOGNAME: 'root',
    HOME: '/root',
    SHELL: '/bin/bash',
    LANG: 'C',
    TERM: 'xterm',
  });
  expect(environment({ accept: ['LANG'] }).LANG).toBe('de_DE.UTF-8');
  expect(environment({ accept: ['LANG'], given: { LANG: 'fr_FR', TERM: 'vt100' } })).toMatchObject({
    LANG: 'fr_FR',
    TERM: 'vt100',
  });
  expect(environment({ isDumb: true }).TERM).toBe('dumb');
});

test('names, home and shell are those of the user that the process has become', () => {
  expect(environment({ user: ANN })).toMatchObject({
    USER: 'ann',
    LOGNAME: 'ann',
    HOME: '/home/ann',
    SHELL: '/bin/zsh',
  });
  // In a container nobody is named.
  expect(environment({ own: { HOME: '/root' }, user: ANN })).toMatchObject({ USER: 'ann', HOME: '/home/ann' });
  expect(environment({ user: ANN, given: { HOME: '/srv' } })).toMatchObject({ USER: 'ann', HOME: '/srv' });
});

test('where ours name the user of the process, home and shell are what they say', () => {
  const root = { name: 'root', home: '/root', shell: '/bin/sh' };
  expect(environment({ own: { ...OWN, HOME: '/data' }, user: root })).toMatchObject({
    HOME: '/data',
    SHELL: '/bin/bash',
  });
  expect(environment({ own: { LOGNAME: 'root', HOME: '/data' }, user: root })).toEqual({
    LOGNAME: 'root',
    HOME: '/data',
    TERM: 'xterm',
  });
});
