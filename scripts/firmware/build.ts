/**
 * Builds the firmware of the gate controller with Debian's avr-gcc, and keeps what it built by the hash of
 * everything that went in: the same sources are compiled once.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Firmware {
  /** Intel HEX. */
  readonly hex: string;
  /** Of 32 768. */
  readonly flashBytes: number;
  /** Variables, of 2 048; the stack has the rest. */
  readonly ramBytes: number;
}

export interface BuildOptions {
  /** Rewrites one source: for a build that lacks a rule. */
  readonly change?: (file: string, text: string) => string;
  /** A program in the place of `main.c`. */
  readonly main?: string;
}

const SOURCES = fileURLToPath(new URL('../../../drivers/jig/firmware/', import.meta.url));
const KEPT = fileURLToPath(new URL('../../firmware/', import.meta.url));
const CHIP = ['-mmcu=atmega328p'];
const FLAGS = [
  ...[...CHIP, '-DF_CPU=16000000UL', '-std=gnu11', '-Os'],
  ...['-Wall', '-Wextra', '-Werror', '-ffunction-sections', '-fdata-sections'],
];
const DEADLINE_MS = 60_000;

/** Why nothing can be built here, or null. */
export function lackingCompiler(): string | null {
  const { error } = spawnSync('avr-gcc', ['-dumpversion']);
  return error === undefined ? null : 'avr-gcc is not installed (Debian: gcc-avr, avr-libc)';
}

/** @throws Error with the compiler's words */
export function buildFirmware({ change = (_, text) => text, main }: BuildOptions = {}): Firmware {
  const names = readdirSync(SOURCES).filter((name) => /\.[ch]$/.test(name));
  const sources = new Map(names.sort().map((name) => [name, readFileSync(join(SOURCES, name), 'utf8')]));
  if (main !== undefined) sources.set('main.c', main);
  for (const [name, text] of sources) sources.set(name, change(name, text));
  mkdirSync(KEPT, { recursive: true });
  const kept = keep('json', [...sources], (fresh) => writeFileSync(fresh, JSON.stringify(compile(sources))));
  return JSON.parse(readFileSync(kept, 'utf8')) as Firmware;
}

function compile(sources: ReadonlyMap<string, string>): Firmware {
  const directory = mkdtempSync(join(tmpdir(), 'firmware-'));
  try {
    for (const [name, text] of sources) writeFileSync(join(directory, name), text);
    const headers = [...sources].filter(([name]) => name.endsWith('.h'));
    const units = [...sources].filter(([name]) => name.endsWith('.c'));
    const objects = units.map((unit) =>
      keep('o', [...headers, unit], (fresh) =>
        run('avr-gcc', [...FLAGS, '-c', unit[0], '-o', fresh], directory),
      ),
    );
    run('avr-gcc', [...CHIP, '-Wl,--gc-sections', ...objects, '-o', 'gate.elf'], directory);
    run('avr-objcopy', ['-O', 'ihex', '-R', '.eeprom', 'gate.elf', 'gate.hex'], directory);
    const [text = 0, data = 0, bss = 0] =
      run('avr-size', ['gate.elf'], directory).split('\n')[1]?.trim().split(/\s+/).map(Number) ?? [];
    const hex = readFileSync(join(directory, 'gate.hex'), 'utf8');
    return { hex, flashBytes: text + data, ramBytes: data + bss };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Path of what `make` made of these inputs. Two tests may make the same at once: each file appears whole. */
function keep(kind: string, inputs: readonly unknown[], make: (fresh: string) => void): string {
  const hash = createHash('sha256').update(JSON.stringify([version(), FLAGS, ...inputs]));
  const kept = join(KEPT, `${hash.digest('hex')}.${kind}`);
  if (existsSync(kept)) return kept;
  const fresh = `${kept}.${process.pid}`;
  make(fresh);
  renameSync(fresh, kept);
  return kept;
}

let versionKnown: string | null = null;

function version(): string {
  versionKnown ??= run('avr-gcc', ['-dumpversion'], '.').trim();
  return versionKnown;
}

function run(command: string, args: readonly string[], directory: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: directory,
    encoding: 'utf8',
    timeout: DEADLINE_MS,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} failed:\n${stderr}`);
  return stdout;
}
