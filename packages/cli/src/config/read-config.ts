// The value of a configuration file in, the options of its services or every mistake in it out. What a value means is
// for the readers of the options; here is whether it is of the right kind, and under a key that exists.

import path from 'node:path';
import { nearestName, type ServerCommand } from '@wellknown/core/cli';
import type { Result } from '@wellknown/core';
import { GLOBAL_KEYS, serviceKeys, type ConfigKey } from './config-keys.ts';
import type { ConfigTexts, OptionTexts, ServiceTexts } from './option-texts.ts';
import type { Path, Problem } from './places.ts';
import { isSecretRef, type SecretRef } from './secrets.ts';

export interface ReadContext {
  /** By the name of the protocol. */
  readonly commands: readonly ServerCommand[];
  /** Of the file: paths in it are relative to it. */
  readonly folder: string;
  readonly readSecret: (ref: SecretRef) => Result<string, string>;
}

export interface ReadConfig extends ConfigTexts {
  readonly problems: readonly Problem[];
  /** Values that came from elsewhere, or are passwords: not to be shown. */
  readonly hidden: ReadonlySet<string>;
}

// Names appear in logs, in metrics as labels and on the command line.
const SERVICE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

// As a shell writes it. A file that did not say so would have it for a password.
const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/;

type Record_ = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Record_ =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** How a value is told in a message: never the contents of an object, among which may be a secret. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a date';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}

const OR_SECRET = "; a secret is { env: 'NAME' } or { file: 'PATH' }";

/** The same of what may be a secret. */
const kindOf = (value: unknown): string => (typeof value === 'object' ? shown(value) : `a ${typeof value}`);

/** Never throws. What could be read is there beside the problems, so that it can be looked at further. */
export function readConfig(value: unknown, context: ReadContext): ReadConfig {
  return new ConfigReader(context).read(value);
}

class ConfigReader {
  readonly #context: ReadContext;
  readonly #problems: Problem[] = [];
  readonly #hidden = new Set<string>();

  constructor(context: ReadContext) {
    this.#context = context;
  }

  read(value: unknown): ReadConfig {
    const common = { problems: this.#problems, hidden: this.#hidden };
    if (!isRecord(value)) {
      this.#wrong([], `the configuration is ${shown(value)}, allowed is an object with 'services'`);
      return { program: {}, services: [], ...common };
    }
    const { services, ...rest } = value;
    const program = this.#options(rest, GLOBAL_KEYS, [], ['services']);
    return { program, services: this.#services(services), ...common };
  }

  #wrong(at: Path, message: string): void {
    this.#problems.push({ path: at, message });
  }

  #services(value: unknown): ServiceTexts[] {
    if (value === undefined) {
      this.#wrong([], "'services' is missing: { NAME: { protocol: 'http', … } }");
      return [];
    }
    if (!isRecord(value)) {
      this.#wrong(['services'], `services is ${shown(value)}, allowed is an object of services by name`);
      return [];
    }
    const entries = Object.entries(value);
    if (entries.length === 0) this.#wrong(['services'], 'services is empty, at least one is needed');
    return entries.flatMap(([name, service]) => this.#service(name, service) ?? []);
  }

  #service(name: string, value: unknown): ServiceTexts | undefined {
    const at = ['services', name];
    const before = this.#problems.length;
    if (!SERVICE_NAME.test(name))
      this.#wrong(at, `'${name}' is no name of a service: allowed are up to 63 letters, digits and . _ -`);
    if (!isRecord(value)) {
      this.#wrong(at, `the service is ${shown(value)}, allowed is an object with 'protocol'`);
      return undefined;
    }
    const { protocol = name, ...rest } = value;
    const { commands } = this.#context;
    const names = commands.map((one) => one.name);
    const command = commands.find((one) => one.name === protocol);
    if (command === undefined) {
      const near = typeof protocol === 'string' ? nearestName(protocol, names) : undefined;
      const what = 'protocol' in value ? `protocol is ${shown(protocol)}` : 'protocol is missing';
      this.#wrong(
        'protocol' in value ? [...at, 'protocol'] : at,
        `${what}, allowed is ${names.join(', ')}${near === undefined ? '' : `; meant may be '${near}'`}`,
      );
      return undefined;
    }
    const keys = serviceKeys(command);
    const options = this.#options(rest, keys, at, ['protocol']);
    const wrong = new Set(this.#problems.slice(before).map((problem) => problem.path[at.length]));
    const unread = keys.filter(({ key }) => wrong.has(key)).map(({ option }) => option);
    return { name, protocol: command.name, options, unread };
  }

  #options(given: Record_, keys: readonly ConfigKey[], at: Path, others: readonly string[]): OptionTexts {
    const texts: Record<string, readonly string[]> = {};
    for (const [name, value] of Object.entries(given)) {
      // Where editors find the schema.
      if (name === '$schema' && at.length === 0) continue;
      const key = keys.find((one) => one.key === name);
      if (key === undefined) {
        this.#unknown(name, keys, at, others);
        continue;
      }
      const read = this.#value(value, key, [...at, name]);
      if (read !== undefined) texts[key.option] = read;
    }
    return texts;
  }

  #unknown(name: string, keys: readonly ConfigKey[], at: Path, others: readonly string[]): void {
    const known = [...others, ...keys.map(({ key }) => key)];
    // As it is on the command line.
    const near = keys.find(({ option }) => option === name)?.key ?? nearestName(name, known);
    const isGlobal = at.length > 0 && GLOBAL_KEYS.some(({ key }) => key === name);
    const owners = this.#context.commands.filter((one) => serviceKeys(one).some(({ key }) => key === name));
    const hint = isGlobal
      ? "it is not for this service: what is for the whole program stands beside 'services'"
      : owners.length > 0
        ? `it is for a service of ${owners.map((one) => one.name).join(', ')}`
        : near === undefined
          ? `known are ${known.join(', ')}`
          : `meant may be '${near}'`;
    this.#wrong([...at, name], `the key '${name}' is unknown; ${hint}`);
  }

  /** Undefined for a switch that is off, and for what is wrong. */
  #value(value: unknown, key: ConfigKey, at: Path): readonly string[] | undefined {
    if (key.kind === 'switch') {
      if (typeof value === 'boolean') return value ? [''] : undefined;
      this.#wrong(at, `${key.key} is ${shown(value)}, allowed is true or false`);
      return undefined;
    }
    if (!Array.isArray(value)) {
      const text = this.#text(value, key, at);
      return text === undefined ? undefined : [text];
    }
    if (!key.isList) {
      this.#wrong(at, `${key.key} is a list, allowed is one value`);
      return undefined;
    }
    const texts = value.flatMap((one: unknown, index) => this.#text(one, key, [...at, index]) ?? []);
    // An empty list says that there is none, as leaving it out does.
    if (texts.length === 0) return undefined;
    return key.argument === 'NAMES' ? [texts.join(',')] : texts;
  }

  #text(value: unknown, key: ConfigKey, at: Path): string | undefined {
    if (typeof value === 'string') return this.#plain(value, key, at);
    if (typeof value === 'number' && key.kind === 'number') return String(value);
    if (isSecretRef(value)) return this.#secret(value, key, at);
    if (isRecord(value) && key.parts !== undefined) return this.#parts(value, key, at);
    this.#wrong(at, `${key.key} is ${shown(value)}, allowed is ${allowed(key)}`);
    return undefined;
  }

  #plain(text: string, { key, argument, isPath, parts }: ConfigKey, at: Path): string | undefined {
    if (isPath && text === '') {
      this.#wrong(at, `${key} is '', allowed is a text (${argument ?? ''})`);
      return undefined;
    }
    const variable = VARIABLE.exec(text)?.[1];
    if (variable !== undefined) {
      const place = parts === undefined ? 'in place of the text' : 'in place of a part, which makes it an object';
      this.#wrong(at, `${key}: '\${${variable}}' is not replaced here; write { env: '${variable}' } ${place}`);
      return undefined;
    }
    if (parts?.some(({ isSecret }) => isSecret) === true) this.#hidden.add(text);
    return isPath && text !== '-' && text !== '' ? path.resolve(this.#context.folder, text) : text;
  }

  #secret(ref: SecretRef, { key }: Pick<ConfigKey, 'key'>, at: Path): string | undefined {
    const secret = this.#context.readSecret(ref);
    if (secret.ok) {
      this.#hidden.add(secret.value);
      return secret.value;
    }
    this.#wrong(at, `${key}: ${secret.error}`);
    return undefined;
  }

  /** An object in place of `NAME:PASSWORD[:HOME]`. */
  #parts(value: Record_, key: ConfigKey, at: Path): string | undefined {
    const parts = key.parts ?? [];
    const before = this.#problems.length;
    const known = parts.map((part) => part.key);
    for (const name of Object.keys(value))
      if (!known.includes(name)) {
        const near = nearestName(name, known);
        this.#wrong(
          [...at, name],
          `${key.key} has no '${name}', it has ${known.join(', ')}${near === undefined ? '' : `; meant may be '${near}'`}`,
        );
      }
    const texts = parts.flatMap((part, index) => {
      const given = value[part.key];
      if (given === undefined) {
        if (!part.isOptional) this.#wrong(at, `${key.key} needs '${part.key}'`);
        return [];
      }
      const text =
        typeof given === 'string'
          ? given
          : isSecretRef(given)
            ? this.#secret(given, { key: `${key.key}.${part.key}` }, [...at, part.key])
            : undefined;
      if (text === undefined) {
        if (!isSecretRef(given))
          this.#wrong([...at, part.key], `${part.key} is ${kindOf(given)}, allowed is a text in quotes${OR_SECRET}`);
        return [];
      }
      if (text.includes(':') && index < parts.length - 1)
        this.#wrong([...at, part.key], `${part.key} holds a colon, which can't be in it`);
      return [text];
    });
    if (this.#problems.length > before) return undefined;
    const whole = texts.join(':');
    if (parts.some(({ isSecret }) => isSecret)) this.#hidden.add(whole);
    return whole;
  }
}

function allowed({ kind, argument = '', parts, isList }: ConfigKey): string {
  const one =
    parts !== undefined
      ? `a text ${argument}, or an object with ${parts.map(({ key }) => key).join(', ')}`
      : kind === 'number'
        ? `a number or a text (${argument})`
        : `a text (${argument})`;
  return `${one}${isList ? ', or a list of these' : ''}${OR_SECRET}`;
}
