// `wellknown completion SHELL`: what the shell completes, made from the table that the arguments are read by.

import {
  allOptions,
  answer,
  LOG_LEVELS,
  parseOptions,
  usageError,
  type Help,
  type OptionSpec,
} from '@wellknown/core/cli';
import type { Command } from './command.ts';
import { TOPIC_NAMES } from './topics.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
const PROGRAM = 'wellknown completion';

export const describeCompletion = (): Help => ({
  program: PROGRAM,
  usage: '[options] SHELL',
  summary: 'Prints a script that lets your shell complete the commands and options of wellknown.',
  positional: { name: 'SHELL', help: SHELLS.join(', ') },
  examples: [
    { line: 'bash >> ~/.bash_completion', does: 'For bash, from the next shell on' },
    { line: 'zsh > ~/.zfunc/_wellknown', does: 'For zsh, in a folder of its fpath' },
    { line: 'fish > ~/.config/fish/completions/wellknown.fish', does: 'For fish' },
  ],
  groups: [{ title: 'Options', options: [] }],
});

/** One command and what can follow it. */
export interface Completed {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionSpec[];
}

/** Prints the script for these commands. */
export async function runCompletion(argv: readonly string[], commands: readonly Command[]): Promise<void> {
  const values = parseOptions(argv, [], 'SHELL');
  if (!values.ok) {
    usageError(PROGRAM, values.error);
    return;
  }
  if (typeof values.value === 'string') {
    answer(values.value, describeCompletion());
    return;
  }
  const { positional } = values.value;
  const shell = SHELLS.find((known) => known === positional);
  if (shell === undefined) {
    const given = positional === undefined ? 'missing' : `'${positional}'`;
    usageError(PROGRAM, `SHELL is ${given}, allowed is ${SHELLS.join(', ')}`);
    return;
  }
  const completed = await Promise.all(
    commands.map(async ({ name, summary, help }) => ({ name, summary, options: allOptions(await help()) })),
  );
  process.stdout.write(completionScript(shell, completed));
}

export function completionScript(shell: (typeof SHELLS)[number], commands: readonly Completed[]): string {
  switch (shell) {
    case 'bash':
      return bashScript(commands);
    case 'zsh':
      return zshScript(commands);
    case 'fish':
      return fishScript(commands);
  }
}

const TAKES_FILE: ReadonlySet<string> = new Set(['FILE', 'PATH']);
/** Commands that take a file or a folder beside their options. */
const TAKES_FOLDER: ReadonlySet<string> = new Set(['http', 'ftp']);

/** Commands that take one of few words beside their options. */
const wordsOf = (name: string, commands: readonly Completed[]): readonly string[] => {
  switch (name) {
    case 'completion':
      return SHELLS;
    case 'man':
      return commands.map((command) => command.name);
    case 'log-level':
      return LOG_LEVELS;
    default:
      return [];
  }
};

const words = (names: readonly string[]): string => names.join(' ');
const topics = (commands: readonly Completed[]): readonly string[] => [
  ...commands.map(({ name }) => name),
  ...TOPIC_NAMES,
];

function bashScript(commands: readonly Completed[]): string {
  const cases = commands.map(({ name, options }) => {
    const files = options.filter(({ argument = '' }) => TAKES_FILE.has(argument)).map((spec) => `--${spec.name}`);
    const plain = options
      .filter(({ argument }) => argument !== undefined && !TAKES_FILE.has(argument))
      .map((spec) => `--${spec.name}`);
    const before = [
      ...(files.length === 0 ? [] : [`${files.join('|')}) _wellknown_offer -f; return ;;`]),
      ...(plain.length === 0 ? [] : [`${plain.join('|')}) return ;;`]),
    ];
    return `    ${name})
      case "$previous" in
${before.map((line) => `        ${line}`).join('\n')}
      esac
      options="${words(options.map((spec) => `--${spec.name}`))}" others="${words(wordsOf(name, commands))}" valued="${words([...files, ...plain])}"
      ;;`;
  });
  return `# bash completion of wellknown
# One offer for each line of compgen: names of files hold blanks and asterisks.
_wellknown_offer() {
  local line
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$@" -- "$word")
}
# Whether a word stands before this one that is neither an option nor the value of one of those given here.
_wellknown_given() {
  local index
  for ((index = 2; index < COMP_CWORD; index++)); do
    case " $1 " in *" \${COMP_WORDS[index]} "*) ((index++)); continue ;; esac
    case "\${COMP_WORDS[index]}" in -*) ;; *) return 0 ;; esac
  done
  return 1
}
_wellknown() {
  local word="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" options="" others="" valued=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    _wellknown_offer -W "${words([...commands.map(({ name }) => name), 'help', '--help', '--version'])}"
    return
  fi
  case "\${COMP_WORDS[1]}" in
    help) _wellknown_offer -W "${words(topics(commands))}"; return ;;
${cases.join('\n')}
  esac
  case "$word" in
    -*) _wellknown_offer -W "$options" ;;
    *) if [ -z "$others" ]; then _wellknown_offer -f; elif ! _wellknown_given "$valued"; then _wellknown_offer -W "$others"; fi ;;
  esac
}
complete -o filenames -F _wellknown wellknown
`;
}

/** In single quotes of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
/** In the brackets of a zsh option. */
const inBrackets = (text: string): string => text.replace(/[\\[\]:]/g, (sign) => `\\${sign}`);

function zshScript(commands: readonly Completed[]): string {
  const names = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary.replaceAll(':', '\\:')}`)}`);
  const cases = commands.map(({ name, options }) => {
    const specs = options.map(({ name: option, argument, repeatable, help }) => {
      const value =
        argument === undefined ? '' : `:${inBrackets(argument)}:${TAKES_FILE.has(argument) ? '_files' : ''}`;
      return `        ${quoted(`${repeatable === true ? '*' : ''}--${option}[${inBrackets(help)}]${value}`)}`;
    });
    const others = wordsOf(name, commands);
    const rest =
      others.length > 0
        ? [`        '1:${name}:(${words(others)})'`]
        : TAKES_FOLDER.has(name)
          ? ["        '*:folder:_files'"]
          : [];
    return `    ${name})\n      _arguments \\\n${[...specs, ...rest].join(' \\\n')}\n      ;;`;
  });
  return `#compdef wellknown
_wellknown() {
  local -a commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local name="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$name" in
    help) _values topic ${words(topics(commands))} ;;
${cases.join('\n')}
  esac
}
_wellknown "$@"
`;
}

function fishScript(commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ name, summary, options }) => [
    `complete -c wellknown -n __wellknown_no_command -f -a ${name} -d ${quoted(summary)}`,
    ...options.map(
      ({ name: option, argument, help }) =>
        `complete -c wellknown -n '__wellknown_command ${name}' -l ${option}${argument === undefined ? '' : TAKES_FILE.has(argument) ? ' -r -F' : ' -x'} -d ${quoted(help)}`,
    ),
  ]);
  const others = commands.flatMap(({ name }) => {
    const offered = wordsOf(name, commands);
    return offered.length === 0
      ? []
      : [
          `complete -c wellknown -n '__wellknown_command ${name}' -f`,
          `complete -c wellknown -n '__wellknown_command ${name}; and __wellknown_first ${words(offered)}' -a '${words(offered)}'`,
        ];
  });
  return `# fish completion of wellknown
# The command is the second word: one of the same name further on is an argument.
function __wellknown_no_command
  test (count (commandline -opc)) -eq 1
end
function __wellknown_command
  set -l typed (commandline -opc)
  test (count $typed) -gt 1; and test $typed[2] = $argv[1]
end
# None of these words was typed behind the command.
function __wellknown_first
  set -l typed (commandline -opc)
  for word in $typed[3..-1]
    contains -- $word $argv; and return 1
  end
  return 0
end
${[...lines, ...others].join('\n')}
complete -c wellknown -n __wellknown_no_command -f -a help -d 'the options of a command, or a topic'
complete -c wellknown -n '__wellknown_command help' -f -a '${words(topics(commands))}'
`;
}
