import { PROGRAM_OPTIONS } from '@wellknown/core/cli';
import { describe, expect, test } from 'vitest';
import { keptByReload, ON_RELOAD, takenByReload } from '../../src/config/on-reload.ts';

test('of every option of the whole program that a file may have it is known what a reload does', () => {
  expect(Object.keys(ON_RELOAD).sort()).toEqual(PROGRAM_OPTIONS.filter((name) => name !== 'inetd').sort());
});

describe('a change', () => {
  const first = { 'run-as': ['web'], 'drain-timeout': ['30'], backlog: ['10'] };

  test('of what is kept is told, and workers go on with what was first', () => {
    const next = { 'run-as': ['other'], 'drain-timeout': ['5'], admin: ['9000'], backlog: ['20'] };
    expect(keptByReload(first, next)).toEqual(['admin', 'runAs']);
    expect(takenByReload(first, next)).toEqual({ 'run-as': ['web'], 'drain-timeout': ['5'], backlog: ['20'] });
  });

  test('is also one that takes an option away', () => {
    expect(keptByReload(first, {})).toEqual(['runAs']);
    expect(takenByReload(first, {})).toEqual({ 'run-as': ['web'] });
  });

  test('of the backlog is kept where the primary accepts', () => {
    const dispatch = { ...first, accept: ['dispatch'] };
    expect(keptByReload(dispatch, { ...dispatch, backlog: ['20'] })).toEqual(['backlog']);
  });
});
