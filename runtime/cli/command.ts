/** What a command is: a row of the table in commands.ts. Help, parsing and running all follow from the row. */
import { Fault } from '../core/faults.ts';
import type { Means } from './means.ts';

export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** Shown in the help in place of the value. */
  readonly value?: string;
  readonly help: string;
  /** May be given again and again; `listOf` has them all. */
  readonly multiple?: boolean;
}

export interface Command {
  /** One word, two or three: `fleet list`. */
  readonly name: string;
  readonly summary: string;
  /** Words after the command, as the help shows them. */
  readonly operands?: string;
  readonly operandsMax?: number;
  readonly options: Readonly<Record<string, Option>>;
  /** What the options alone do not say. */
  readonly notes?: readonly string[];
  readonly examples: readonly string[];
  /** Resolves with the exit code. @throws Fault */
  run(given: Arguments, means: Means): Promise<number>;
}

/** What was typed after the command's name. */
export interface Arguments {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly operands: readonly string[];
  /** Values of the options that may be given again, in their order. */
  readonly lists: Readonly<Record<string, readonly string[]>>;
}

/** Options of every command. */
export const commonOptions = {
  json: { type: 'boolean', help: 'data as JSON, for programs' },
  help: { type: 'boolean', short: 'h', help: 'this text' },
} as const satisfies Readonly<Record<string, Option>>;

export function textOf(given: Arguments, option: string): string | null {
  const value = given.values[option];
  return typeof value === 'string' ? value : null;
}

export function listOf(given: Arguments, option: string): readonly string[] {
  return given.lists[option] ?? [];
}

export function isSet(given: Arguments, option: string): boolean {
  return given.values[option] === true;
}

/** @throws Fault USAGE unless the value is a whole number from `min` on. */
export function countOf(given: Arguments, option: string, min: number): number | null {
  const text = textOf(given, option);
  if (text === null) return null;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min)
    throw usage(
      `${option.length === 1 ? '-' : '--'}${option} takes a whole number from ${min} on, not ${text}`,
    );
  return value;
}

/** A mistake of the person who typed; `why` is a sentence for that person. */
export function usage(why: string): Fault {
  return new Fault('USAGE', { why });
}
