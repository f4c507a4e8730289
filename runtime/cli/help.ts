/** The help, from the table of commands: what is not in a row is not promised. */
import { type Command, commonOptions, type Option, usage } from './command.ts';
import { didYouMean } from './near.ts';
import { columns } from './screen.ts';

export function overview(commands: readonly Command[], version: string): readonly string[] {
  return [
    `holdfast ${version}: reads what a provisioning line did, and proves it`,
    '',
    'Usage: holdfast COMMAND [options]',
    '',
    ...columns(commands.map(({ name, summary }) => [`  ${name}`, summary])),
    '',
    'holdfast help COMMAND tells more. Every command takes --json.',
    'Exit: 0 done, 1 fault, 2 the command was not understood, 3 a unit is held.',
  ];
}

export function usageLine(command: Command): string {
  const options = Object.entries(command.options).map(([name, option]) => `[${spelt(name, option)}]`);
  const operands = command.operands === undefined ? [] : [command.operands];
  return ['Usage: holdfast', command.name, ...operands, ...options, '[--json]'].join(' ');
}

export function helpOf(command: Command): readonly string[] {
  const options = Object.entries({ ...command.options, ...commonOptions });
  return [
    `holdfast ${command.name}: ${command.summary}`,
    '',
    usageLine(command),
    '',
    ...columns(options.map(([name, option]) => [`  ${spelt(name, option)}`, option.help])),
    ...(command.notes === undefined ? [] : ['', ...command.notes]),
    ...(command.examples.length === 0
      ? []
      : ['', 'Examples:', ...command.examples.map((line) => `  ${line}`)]),
  ];
}

/** The table as data. */
export function helpJson(commands: readonly Command[]): object {
  return commands.map(({ name, summary, operands, options, examples }) => ({
    name,
    summary,
    operands: operands ?? null,
    options: Object.entries({ ...options, ...commonOptions }).map(([option, rest]) => ({
      name: option,
      ...rest,
    })),
    examples,
  }));
}

/** @param all the table that this command becomes a row of */
export function helpCommand(all: () => readonly Command[]): Command {
  return {
    name: 'help',
    summary: 'what the commands are, and what one of them takes',
    operands: '[COMMAND]',
    operandsMax: 3,
    options: {},
    examples: ['holdfast help', 'holdfast help journal'],
    run: async (given, means) => {
      const name = given.operands.join(' ');
      const wanted = all().filter((command) => name === '' || isOf(command, name));
      const names = all().map((command) => command.name);
      if (wanted.length === 0) throw usage(`there is no command ${name}${didYouMean(name, names)}`);
      const [only] = wanted;
      if (given.values.json === true) means.print(JSON.stringify(helpJson(wanted)));
      else
        for (const line of wanted.length === 1 && only !== undefined
          ? helpOf(only)
          : overview(wanted, means.version))
          means.print(line);
      return 0;
    },
  };
}

/** `fleet` names all commands that begin with it. */
export function isOf(command: Command, name: string): boolean {
  return command.name === name || command.name.startsWith(`${name} `);
}

/** `-n N`, `--since TIME`, `--verify`. */
function spelt(name: string, option: Option): string {
  const dashes = name.length === 1 ? '-' : '--';
  const short = option.short === undefined ? '' : `-${option.short}, `;
  return `${short}${dashes}${name}${option.type === 'string' ? ` ${option.value ?? 'VALUE'}` : ''}`;
}
