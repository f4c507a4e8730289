import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fromText } from '../../runtime/core/bytes.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { checkpointText } from '../../runtime/core/log/checkpoint.ts';
import { cosignatureLine, cosignatureMessage, signedNote, verifierKey } from '../../runtime/core/log/note.ts';
import { judgeNote, meetsQuorum, readPolicy } from '../../runtime/core/log/policy.ts';
import { logKeys } from '../core/log-samples.ts';
import { WITNESS_TIME, witnessKeys } from './witnesses.ts';

const log = verifierKey(logKeys.key, nodeCrypto);
const witnesses = ['a', 'b', 'c'].map((name) => witnessKeys(`w.example/${name}`));
const lines = [`log ${log}`, ...witnesses.map(({ vkey }, i) => `witness ${'abc'[i]} ${vkey} http://w${i}`)];
const policyOf = (...more: readonly string[]) => readPolicy([...lines, ...more].join('\n'), nodeCrypto);

describe('C2SP tlog-policy', () => {
  it('reads logs, witnesses, groups and quorum, and passes over comments', () => {
    const {
      logs,
      witnesses: read,
      groups,
      quorum,
    } = readPolicy(
      `# of the plant\n${lines.join('\n')}\n\ngroup two 2 a b c # any two\nquorum two\n`,
      nodeCrypto,
    );
    assert.deepEqual(
      logs.map(({ name, url }) => [name, url]),
      [[logKeys.key.name, null]],
    );
    assert.deepEqual(
      read.map(({ name, url }) => [name, url]),
      [
        ['a', 'http://w0'],
        ['b', 'http://w1'],
        ['c', 'http://w2'],
      ],
    );
    assert.deepEqual([groups, quorum], [[{ name: 'two', members: ['a', 'b', 'c'], needed: 2 }], 'two']);
  });

  it('refuses what could be read in two ways, and names the line', () => {
    const cases: readonly (readonly [RegExp, readonly string[]])[] = [
      [/no quorum line/, []],
      [/quorum already/, ['quorum a', 'quorum b']],
      [/not defined before/, ['quorum z']],
      [/not defined before/, ['group g any z', 'quorum g']],
      [/defined already/, ['group a any b', 'quorum a']],
      [/or is none/, ['group none any b', 'quorum none']],
      [/member already/, ['group g any a', 'group h any a', 'quorum g']],
      [/how many of its members/, ['group g 2 a', 'quorum g']],
      [/how many of its members/, ['group g 0 a', 'quorum g']],
      [/named already/, [`witness d ${witnesses[0]?.vkey}`, 'quorum d']],
      [/no word of a policy/, ['trust a', 'quorum a']],
      [/key of a witness/, [`witness d ${log}`, 'quorum d']],
    ];
    for (const [why, more] of cases)
      assert.throws(
        () => policyOf(...more),
        (error) => isFault(error) && error.code === 'POLICY_INVALID' && why.test(String(error.context.why)),
        more.join('; '),
      );
    assert.throws(
      () => policyOf('quorum a', 'nonsense'),
      (error) => isFault(error) && error.context.line === 6,
    );
    assert.throws(() => readPolicy('quorum none', nodeCrypto), { code: 'POLICY_INVALID' });
  });

  it('is met by as many members as a group needs, groups in groups counted once', () => {
    const policy = policyOf('group two 2 a b', 'group all all two c', 'quorum all');
    const met = (...names: readonly string[]) => meetsQuorum(policy, new Set(names));
    assert.deepEqual([met('a', 'b', 'c'), met('a', 'c'), met('a', 'b'), met()], [true, false, false, false]);
    assert.equal(meetsQuorum(policyOf('quorum none'), new Set()), true);
  });

  it('counts no cosignature that is wrong, unknown or of another checkpoint', () => {
    const policy = policyOf('group two 2 a b c', 'quorum two');
    const text = checkpointText({ origin: logKeys.key.name, size: 3, root: new Uint8Array(32) });
    const note = signedNote(text, logKeys.key, logKeys.sign(fromText(text)), nodeCrypto);
    const by = (i: number, of = text, time = WITNESS_TIME) => {
      const { key, sign } = witnesses[i] ?? witnessKeys('nobody');
      return `${cosignatureLine(key, time, sign(cosignatureMessage(of, time)), nodeCrypto)}\n`;
    };
    const quorumOf = (whole: string) => {
      const judged = judgeNote(whole, policy, nodeCrypto);
      return typeof judged === 'string' ? judged : judged.quorum;
    };
    assert.equal(quorumOf(`${note}${by(0)}${by(2)}`), true);
    assert.equal(quorumOf(`${note}${by(0)}`), false);
    assert.equal(quorumOf(`${note}${by(0)}${by(0)}`), false);
    assert.equal(quorumOf(`${note}${by(0)}${by(9)}`), false);
    assert.match(String(quorumOf(`${note}${by(0)}${by(1, `${text}x\n`)}`)), /is wrong/);
    assert.match(String(quorumOf(`${text}\n${by(0)}${by(1)}`)), /the log did not sign/);
    assert.match(
      String(quorumOf(note.replaceAll(logKeys.key.name, 'other.example'))),
      /not of a log of this/,
    );
  });
});
