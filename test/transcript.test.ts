/**
 * Transcripts: one text file per scenario, `event ---- what the station did`, after etcd's raft/testdata.
 *
 * `REWRITE=1` rewrites the answers. Commit a changed answer only if you can say why it changed. Besides the
 * events of the table a line may be `power-cut`, or `doubt:…`: from then on the receipts do not convince.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Fact, FactName } from '../runtime/core/operation/facts.ts';
import { gate } from '../runtime/core/operation/gate.ts';
import { recover, step } from '../runtime/core/operation/step.ts';
import { type State, type Trigger, transitions } from '../runtime/core/operation/transitions.ts';

const folder = 'test/transcripts';
const triggers: readonly string[] = transitions.map((row) => row.on);

function replay(script: string): string {
  let state: State = 'vacant';
  let problems: readonly string[] = [];
  const journal: FactName[] = [];

  const gateLine = (): string => {
    const facts = journal.map((name) => ({ name, nest: 'a', visit: 'v' }) as unknown as Fact);
    const verdict = gate(facts, () => problems);
    return `gate    ${verdict.open ? 'may open' : `holds, missing ${verdict.missing.join(' and ')}`}`;
  };
  const powerCut = (): readonly string[] => {
    const restart = recover(journal);
    state = restart.state;
    const how = restart.inspect ? 'inspect' : 'again  ';
    return [...(restart.perform === null ? [] : [`${how} ${restart.perform}`]), `state   ${state}`];
  };
  const happen = (trigger: string): readonly string[] => {
    assert.ok(triggers.includes(trigger), `no such event: ${trigger}`);
    const next = step(state, trigger as Trigger);
    if (next.append === null) return ['out of turn'];
    state = next.state;
    journal.push(next.append);
    return [
      `append  ${next.append}`,
      ...(next.perform === null ? [] : [`perform ${next.perform}`]),
      `state   ${state}`,
    ];
  };
  const answer = (command: string): readonly string[] => {
    if (command === 'power-cut') return powerCut();
    if (!command.startsWith('doubt:')) return happen(command);
    problems = [command.slice('doubt:'.length)];
    return [`state   ${state}`];
  };
  return script.replace(
    /^(\S+)\n----\n(?:.+\n)*/gm,
    (_, command: string) => `${[command, '----', ...answer(command), gateLine()].join('\n')}\n`,
  );
}

describe('transcripts', () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt')))
    it(file.replace('.txt', '').replaceAll('-', ' '), () => {
      const path = `${folder}/${file}`;
      const expected = readFileSync(path, 'utf8');
      const actual = replay(expected);
      if (process.env.REWRITE === '1') writeFileSync(path, actual);
      else assert.equal(actual, expected, `${path}: REWRITE=1 rewrites it, if you can say why`);
    });
});
