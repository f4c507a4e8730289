import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createInMemoryShelf } from '../../drivers/shelf/in-memory.ts';
import { fromText, toBase64, toHex } from '../../runtime/core/bytes.ts';
import { checkpointText } from '../../runtime/core/log/checkpoint.ts';
import { signedNote, verifyNote } from '../../runtime/core/log/note.ts';
import { leafHash, MerkleTree } from '../../runtime/core/log/tree.ts';
import { addCheckpointText } from '../../runtime/core/log/witness.ts';
import { logKeys, otherLogKeys } from '../core/log-samples.ts';
import { askerOf, deskOf, WITNESS_TIME } from './witnesses.ts';

const { sha256 } = nodeCrypto;

function treeOf(size: number, word = 'leaf'): MerkleTree {
  const tree = new MerkleTree(sha256);
  for (let i = 0; i < size; i++) tree.append(leafHash(fromText(`${word} ${i}`), sha256));
  return tree;
}

/** The log at a size, signed. */
function checkpointOf(size: number, word = 'leaf', by = logKeys): string {
  const text = checkpointText({ origin: by.key.name, size, root: treeOf(size, word).root() });
  return signedNote(text, by.key, by.sign(fromText(text)), nodeCrypto);
}

function asking(old: number, size: number, word = 'leaf'): string {
  const proof = old === 0 || old > size ? [] : treeOf(size, word).consistencyProof(old);
  return addCheckpointText({ old, proof, checkpoint: checkpointOf(size, word) });
}

describe('a witness', () => {
  it('cosigns a log that has only grown, at the time of its own clock', async () => {
    const desk = deskOf();
    const { post } = askerOf(desk);
    for (const [old, size] of [
      [0, 5],
      [5, 5],
      [5, 9],
    ] as const) {
      const { status, body } = await post(asking(old, size));
      assert.equal(status, 200, body);
      const verified = verifyNote(`${checkpointOf(size)}${body}`, [logKeys.key, desk.key], nodeCrypto);
      assert.deepEqual(
        verified?.map(({ time }) => time),
        [null, WITNESS_TIME],
      );
    }
  });

  it('answers each other request with the code of the table, and has moved by none of them', async () => {
    const { post, get } = askerOf(deskOf());
    assert.equal((await post(asking(0, 6))).status, 200);
    const size6 = treeOf(9).consistencyProof(6);
    const cases: readonly (readonly [number, string, string])[] = [
      [400, 'old above the checkpoint', asking(6, 9).replace('old 6', 'old 10')],
      [400, 'no request', 'hello'],
      [400, 'old with a zero before it', asking(6, 9).replace('old 6', 'old 06')],
      [
        400,
        'a hash that is too short',
        asking(6, 9).replace(toBase64(size6[0] ?? sha256(fromText(''))), 'AAAA'),
      ],
      [403, 'not signed', asking(6, 9).replace(/— .*\n$/, '— log.holdfast.example/test AAAAAAA=\n')],
      [
        403,
        'another key under the name',
        addCheckpointText({ old: 6, proof: size6, checkpoint: checkpointOf(9, 'leaf', otherLogKeys) }),
      ],
      [
        404,
        'another log',
        asking(6, 9).replaceAll('log.holdfast.example/test', 'log.holdfast.example/other'),
      ],
      [409, 'another size than was cosigned', asking(5, 9)],
      [409, 'discovery', asking(0, 9)],
      [422, 'another history', asking(6, 9, 'other')],
      [422, 'the same size with another root', asking(6, 6, 'other')],
      [
        422,
        'a proof for the same size',
        addCheckpointText({ old: 6, proof: size6, checkpoint: checkpointOf(6) }),
      ],
    ];
    for (const [status, name, body] of cases) assert.equal((await post(body)).status, status, name);
    const conflict = await post(asking(0, 9));
    assert.deepEqual([conflict.type, conflict.body], ['text/x.tlog.size', '6\n']);
    assert.equal((await post(asking(6, 9))).status, 200);
    assert.equal((await get('/elsewhere')).status, 404);
  });

  it('cosigns nothing from an empty log with a proof, nor an empty log with leaves in its root', async () => {
    const { post } = askerOf(deskOf());
    const proof = treeOf(9).consistencyProof(6);
    assert.equal((await post(addCheckpointText({ old: 0, proof, checkpoint: checkpointOf(9) }))).status, 422);
    const text = checkpointText({ origin: logKeys.key.name, size: 0, root: treeOf(1).root() });
    const empty = signedNote(text, logKeys.key, logKeys.sign(fromText(text)), nodeCrypto);
    assert.equal((await post(addCheckpointText({ old: 0, proof: [], checkpoint: empty }))).status, 422);
    assert.equal((await post(asking(0, 0))).status, 200);
  });

  it('has kept what it cosigned before the answer leaves, and cosigns nothing that it cannot keep', async () => {
    let full = false;
    const shelf = createInMemoryShelf(() => {
      if (full) throw new Error('disk full');
    });
    const { post } = askerOf(deskOf({ shelf }));
    const { body } = await post(asking(0, 3));
    const [kept] = [...shelf.files.values()].map((bytes) => Buffer.from(bytes).toString());
    assert.equal(kept, `${checkpointOf(3)}${body}`);
    full = true;
    await assert.rejects(post(asking(3, 4)));
    full = false;
    assert.equal((await post(asking(4, 5))).body, '3\n');
  });

  it('is rolled back by no two requests at a time: one of them finds another size', async () => {
    const { post } = askerOf(deskOf());
    await post(asking(0, 4));
    const answers = await Promise.all([post(asking(4, 9)), post(asking(4, 6)), post(asking(4, 7))]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 409, 409],
    );
  });

  it('keeps the evidence of a fork beside what it cosigned, and says so', async () => {
    const shelf = createInMemoryShelf();
    const said: string[] = [];
    const { post } = askerOf(deskOf({ shelf, talk: (line) => said.push(line) }));
    await post(asking(0, 6));
    await post(asking(6, 6, 'other'));
    const evidence = [...shelf.files].filter(([path]) => path.includes('/fork-'));
    assert.deepEqual(
      evidence.map(([, bytes]) => Buffer.from(bytes).toString()),
      [checkpointOf(6, 'other')],
    );
    assert.match(said.at(-1) ?? '', /HAS FORKED/);
    assert.equal((await post(asking(6, 8))).status, 200);
  });

  it('shows monitors the checkpoint with its own signature and the log’s, and nothing before the first', async () => {
    const { post, get } = askerOf(deskOf());
    const path = `/${toHex(sha256(fromText(logKeys.key.name)))}/checkpoint`;
    assert.equal((await get(path)).status, 404);
    const stranger = '— somebody.example AAAAAAAA\n';
    const { body } = await post(`${asking(0, 5)}${stranger}`);
    assert.deepEqual((await get(path)).body, `${checkpointOf(5)}${body}`);
  });

  it('cosigns nothing once what it kept is not its own', async () => {
    const shelf = createInMemoryShelf();
    const { post } = askerOf(deskOf({ shelf }));
    await post(asking(0, 5));
    for (const path of shelf.files.keys()) shelf.files.set(path, Buffer.from(checkpointOf(2)));
    await assert.rejects(post(asking(2, 6)), { code: 'FILE_UNREADABLE' });
  });
});
