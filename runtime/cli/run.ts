/** Finds the command that was typed, runs it, and shows a fault as people read it. */
import { parseArgs } from 'node:util';
import type { Fault } from '../core/faults.ts';
import { ExitCode } from '../program.ts';
import { type Arguments, type Command, commonOptions, isSet, usage } from './command.ts';
import { commandsFor } from './commands.ts';
import { helpJson, helpOf, isOf, overview, usageLine } from './help.ts';
import { type Means, OutputClosed } from './means.ts';
import { didYouMean } from './near.ts';
import { showFault, unforeseen } from './show-fault.ts';

/** Words in a command's name. */
const NAME_WORDS_MAX = 3;

/** Resolves with the exit code; nothing is thrown but by `means`. */
export async function runCommandLine(argv: readonly string[], means: Means): Promise<number> {
  const json = argv.includes('--json');
  let command: Command | null = null;
  try {
    if (argv.includes('--version') && argv.every((word) => word.startsWith('-'))) return version(json, means);
    const found = commandIn(argv, await commandsFor(argv[0]), means);
    if (typeof found === 'number') return found;
    command = found.command;
    const given = parse(found.command, found.rest);
    if (!isSet(given, 'help')) return await command.run(given, means);
    if (json) means.print(JSON.stringify(helpJson([command])));
    else for (const line of helpOf(command)) means.print(line);
    return ExitCode.done;
  } catch (error) {
    if (error instanceof OutputClosed) return ExitCode.done;
    return show(unforeseen(error), command, json, means);
  }
}

function version(json: boolean, means: Means): number {
  means.print(json ? JSON.stringify({ version: means.version }) : `holdfast ${means.version}`);
  return ExitCode.done;
}

/** The command with what follows its name; an exit code where the help was all that was asked for.
 * @throws Fault USAGE */
function commandIn(
  argv: readonly string[],
  commands: readonly Command[],
  means: Means,
): { readonly command: Command; readonly rest: readonly string[] } | number {
  const [first] = argv;
  if (first === undefined || ['--help', '-h', '--json'].includes(first)) {
    const asked = argv.includes('--help') || argv.includes('-h');
    if (asked && argv.includes('--json')) means.print(JSON.stringify(helpJson(commands)));
    else for (const line of overview(commands, means.version)) (asked ? means.print : means.talk)(line);
    return asked ? ExitCode.done : ExitCode.usage;
  }
  for (let words = NAME_WORDS_MAX; words > 0; words--) {
    const name = argv.slice(0, words).join(' ');
    const command = commands.find((one) => one.name === name);
    if (command !== undefined) return { command, rest: argv.slice(words) };
  }
  const family = commands.filter((one) => isOf(one, first)).map((one) => one.name);
  if (family.length > 0) throw usage(`${first} is followed by a second word: ${family.join(', ')}`);
  if (first.startsWith('-')) throw usage('the command comes first, its options after it');
  throw usage(`there is no command ${first}${didYouMean(first, names(commands))}`);
}

/** @throws Fault USAGE in the words of a person, not of the parser */
function parse(command: Command, rest: readonly string[]): Arguments {
  const options: Command['options'] = { ...command.options, ...commonOptions };
  const { tokens } = parseArgs({
    args: [...rest],
    options: parserOptions(options),
    strict: false,
    tokens: true,
  });
  const values: Record<string, string | boolean | undefined> = {};
  const operands: string[] = [];
  const lists: Record<string, string[]> = {};
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const known = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (known === undefined)
      throw usage(
        `there is no option ${token.rawName}${didYouMean(
          token.rawName,
          Object.keys(options).map((name) => `--${name}`),
        )}`,
      );
    if (known.type === 'boolean' && token.value !== undefined) throw usage(`${token.rawName} takes no value`);
    if (known.type === 'string' && isMissing(token))
      throw usage(`${token.rawName} takes a value: ${known.value ?? 'VALUE'}`);
    values[token.name] = token.value ?? true;
    if (known.multiple === true && token.value !== undefined)
      lists[token.name] = [...(lists[token.name] ?? []), token.value];
  }
  if (operands.length > (command.operandsMax ?? 0))
    throw usage(`${operands.at(command.operandsMax ?? 0)} was not expected here`);
  return { values, operands, lists };
}

/** An option where a value should stand is an option: `--since -n 5` lacks the time. */
function isMissing(token: { readonly value: string | undefined; readonly inlineValue: boolean | undefined }) {
  return !token.value || (token.inlineValue !== true && /^-./.test(token.value));
}

/** parseArgs knows a name of one letter only as the short form of a name. */
function parserOptions(options: Command['options']) {
  return Object.fromEntries(
    Object.entries(options).map(([name, { type, short }]) => {
      const letter = name.length === 1 ? name : short;
      return [name, { type, ...(letter === undefined ? {} : { short: letter }) }];
    }),
  );
}

function names(commands: readonly Command[]): readonly string[] {
  return [...new Set(commands.flatMap(({ name }) => [name, ...name.split(' ')]))];
}

function show(fault: Fault, command: Command | null, json: boolean, means: Means): number {
  const code = showFault(fault, json, means);
  if (fault.code === 'USAGE' && !json)
    means.talk(command === null ? 'holdfast help lists the commands.' : usageLine(command));
  return code;
}
