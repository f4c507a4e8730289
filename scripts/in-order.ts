/**
 * Runs test files in the order in which they are named; `node --test` would sort them by name. What takes longest
 * begins first, so that nobody waits for it at the end.
 */
import { resolve } from 'node:path';
import { run } from 'node:test';
import { spec, tap } from 'node:test/reporters';

/** Processes at a time, on two cores: many of them wait for real components. */
const CONCURRENCY = 4;
/** Longest that one file may take. */
const FILE_TIMEOUT_MS = 240_000;

const files = process.argv.slice(2).map((file) => resolve(file));
if (files.length === 0) throw new RangeError('no test files');
const events = run({ files, concurrency: CONCURRENCY, timeout: FILE_TIMEOUT_MS }).once('test:fail', () => {
  process.exitCode = 1;
});
const told = process.stdout.isTTY ? events.compose(new spec()) : events.compose(tap);
told.pipe(process.stdout);
