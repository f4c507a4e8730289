/**
 * Model and code are about the same machine: every row of the table is a step of the model and the other way round,
 * and every transition that the station takes in a simulated plant is one that the model takes.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { transitions } from '../../runtime/core/operation/transitions.ts';
import { name } from '../../scripts/documents/labels.ts';
import { createWorld } from '../../scripts/simulation/world.ts';

/** `from trigger to fact` of each step in the model's text. */
function stepsOfModel(): ReadonlySet<string> {
  const text = readFileSync('test/model/gate.pml', 'utf8').replaceAll(/^#define(?:.*\\\n)*.*$/gm, '');
  const all = (pattern: RegExp, row: (...words: string[]) => string): string[] =>
    [...text.matchAll(pattern)].map(([, ...words]) => row(...words));
  return new Set([
    ...all(/\b(?:STEP|NOTE)\((\w+), (\w+), (\w+), (\w+)\)/g, (...words) => words.join(' ')),
    ...all(/^ {2}HOLD\((\w+),[^;]*?, (held|reject_held), \w+\)$/gm, (from, to) => `${from} fault ${to} held`),
    ...all(/\bOTHERWISE\((\w+)\)/g, (from) => `${from} arrival_ended vacant interrupted`),
    ...all(/\bDEPARTS\((\w+), \w+, (\w+), (\w+)\)/g, (from, on, fact) => `${from} ${on} vacant ${fact}`),
  ]);
}

describe('the model', () => {
  const steps = stepsOfModel();

  it('takes every row of the table, and no other', () => {
    const rows = transitions.map((t) => [t.from, t.on, t.to, t.journal].map(name).join(' '));
    assert.deepEqual([...steps].sort(), rows.sort());
  });

  it('takes every transition that the station takes on a simulated line, with bad chips and a lossy bus', async () => {
    const taken = new Set([...steps].map((step) => step.split(' ').slice(0, 3).join(' ')));
    const seen = new Set<string>();
    for (const seed of ['1', '2']) {
      const world = await createWorld({
        seed: `binding ${seed}`,
        units: 4,
        stations: 1,
        weather: { lossRate: 0.1, duplicateRate: 0.1, delayMs: { min: 1, max: 40 } },
        manners: { 2: { name: 'claims-another-eid' }, 3: { name: 'torn-after', at: 20 } },
      });
      await world.run(600_000);
      let from = 'vacant';
      for (const { event, fields } of world.log.lines) {
        if (event !== 'transition') continue;
        seen.add([from, String(fields.on), String(fields.state)].map(name).join(' '));
        from = String(fields.state);
      }
    }
    assert.deepEqual(
      [...seen].filter((transition) => !taken.has(transition)),
      [],
    );
    assert.ok(seen.size >= 12, `only ${seen.size} different transitions: ${[...seen].sort().join(', ')}`);
  });
});
