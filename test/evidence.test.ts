/** The page of evidence says what was measured, and every command that it names still measures it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parts } from '../scripts/evidence/parts.ts';
import { type Figures, render } from '../scripts/evidence/render.ts';

const figures = JSON.parse(readFileSync('test/evidence.json', 'utf8')) as Figures;
const scripts = (JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> })
  .scripts;
const OUTPUT_MAX = 64 * 1024 * 1024;

describe('the evidence', () => {
  it('is a page of the figures that were measured', () => {
    assert.equal(
      readFileSync('test/EVIDENCE.md', 'utf8'),
      render(figures),
      'run npm run evidence -- --render',
    );
  });

  it('says a number wherever it promises one', () => {
    assert.doesNotMatch(readFileSync('test/EVIDENCE.md', 'utf8'), /NaN|undefined|\[object/);
  });

  it('names a command of this project for each of them', () => {
    for (const { typed, command } of parts) {
      const [, , name = ''] = typed.split(' ');
      assert.ok(scripts[name]?.includes(`dist/${command[0]}`), typed);
    }
  });

  for (const { name, title, small, text } of parts)
    if (small !== null)
      it(`measures on a small range: ${title}`, () => {
        const [script = '', ...options] = small;
        const run = spawnSync(process.execPath, [`dist/${script}`, ...options], {
          encoding: 'utf8',
          maxBuffer: OUTPUT_MAX,
        });
        assert.equal(run.status, 0, run.stderr);
        const lines = text(JSON.parse(run.stdout));
        assert.ok(
          lines.length > 0 && !lines.join().includes('undefined') && !lines.join().includes('NaN'),
          name,
        );
      });
});
