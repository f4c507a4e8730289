/** `npm run evidence`: measures every figure again and writes test/EVIDENCE.md. `-- --only NAME,NAME`, `--render` for none. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parts } from './evidence/parts.ts';
import { type Figures, type Measured, render } from './evidence/render.ts';

const { values } = parseArgs({
  options: { only: { type: 'string' }, render: { type: 'boolean', default: false } },
});
const FIGURES = 'test/evidence.json';
const dist = fileURLToPath(new URL('..', import.meta.url));
/** Reports are long where something went wrong. */
const OUTPUT_MAX = 256 * 1024 * 1024;

const wanted = values.render
  ? []
  : parts.filter(({ name }) => values.only?.split(',').includes(name) ?? true);
const figures: Record<string, Measured> = existsSync(FIGURES)
  ? { ...(JSON.parse(readFileSync(FIGURES, 'utf8')) as Figures) }
  : {};
for (const { name, command, typed } of wanted) {
  process.stderr.write(`${typed}\n`);
  const [script = '', ...options] = command;
  const run = spawnSync(process.execPath, ['--enable-source-maps', join(dist, script), ...options], {
    encoding: 'utf8',
    maxBuffer: OUTPUT_MAX,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (run.stdout.trim() === '') throw new Error(`${typed} told nothing`);
  figures[name] = {
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    machine: `${cpus().length} cores, Node ${process.versions.node}`,
    at: new Date().toISOString().slice(0, 10),
    report: reportIn(run.stdout),
  };
  writeFileSync(FIGURES, `${JSON.stringify(figures, null, 1)}\n`);
}
writeFileSync('test/EVIDENCE.md', render(figures));

/** One report, or one a line. */
function reportIn(text: string): unknown {
  const lines = text.trim().split('\n');
  return lines.length === 1 ? JSON.parse(text) : lines.map((line) => JSON.parse(line));
}
