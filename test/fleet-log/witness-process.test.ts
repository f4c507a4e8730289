import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { httpClient } from '../../drivers/http/client.ts';
import { fromText } from '../../runtime/core/bytes.ts';
import { checkpointText } from '../../runtime/core/log/checkpoint.ts';
import { readVerifierKey, signedNote, verifierKey, verifyNote } from '../../runtime/core/log/note.ts';
import { leafHash, MerkleTree } from '../../runtime/core/log/tree.ts';
import { addCheckpointText } from '../../runtime/core/log/witness.ts';
import { logKeys } from '../core/log-samples.ts';

const top = mkdtempSync(join(tmpdir(), 'holdfast-witness-'));
after(() => rmSync(top, { recursive: true }));
const key = join(top, 'key.pem');
const { privateKey } = generateKeyPairSync('ed25519');
writeFileSync(key, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });

/** Resolves when it serves. */
async function start(): Promise<{
  readonly child: ChildProcess;
  readonly url: string;
  readonly vkey: string;
}> {
  const child = spawn(
    process.execPath,
    [
      ...['dist/runtime/cli/main.js', 'witness', '--key', key, '--name', 'witness.example/process'],
      ...['--log', verifierKey(logKeys.key, nodeCrypto), '--state', join(top, 'state')],
      ...['--listen', '127.0.0.1:0'],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  for await (const line of createInterface({ input: child.stdout })) {
    const { url, witness } = JSON.parse(line) as { url: string; witness: string };
    return { child, url, vkey: witness };
  }
  return assert.fail('the witness ended');
}

function asking(old: number, size: number): { readonly body: string; readonly checkpoint: string } {
  const tree = new MerkleTree(nodeCrypto.sha256);
  for (let i = 0; i < size; i++) tree.append(leafHash(fromText(`leaf ${i}`), nodeCrypto.sha256));
  const text = checkpointText({ origin: logKeys.key.name, size, root: tree.root() });
  const checkpoint = signedNote(text, logKeys.key, logKeys.sign(fromText(text)), nodeCrypto);
  const proof = old === 0 ? [] : tree.consistencyProof(old);
  return { body: addCheckpointText({ old, proof, checkpoint }), checkpoint };
}

describe('holdfast witness, a process', () => {
  it('knows what it cosigned when it was killed at once after its answer', async () => {
    const first = await start();
    const { body, checkpoint } = asking(0, 5);
    const answer = await httpClient.post(`${first.url}/add-checkpoint`, body, 5_000);
    first.child.kill('SIGKILL');
    assert.equal(answer.status, 200, answer.body);
    const witness = readVerifierKey(first.vkey, nodeCrypto) ?? assert.fail();
    assert.equal(verifyNote(`${checkpoint}${answer.body}`, [witness], nodeCrypto)?.length, 1);
    const second = await start();
    try {
      const again = await httpClient.post(`${second.url}/add-checkpoint`, asking(0, 9).body, 5_000);
      assert.deepEqual([again.status, again.body], [409, '5\n']);
      const grown = await httpClient.post(`${second.url}/add-checkpoint`, asking(5, 9).body, 5_000);
      assert.equal(grown.status, 200);
    } finally {
      second.child.kill('SIGTERM');
    }
  });
});
