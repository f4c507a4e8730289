import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openFileSigner } from '../../drivers/token/file-signer.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import { openApprovedTicket, orderForm } from '../../runtime/core/messages/ticket.ts';
import { p256KeyFile } from '../../scripts/laboratory/keys.ts';
import { inProcess, openKeyFile } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-ticket-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const write = (name: string, text: string): string => {
  writeFileSync(at(name), text);
  return at(name);
};
const keyOf = (name: string): string => p256KeyFile(at(`${name}.key`));

/** Who counts at this gateway. */
async function judgeFile() {
  const roles = { authority: 'ticket-authority', ada: 'officer', bob: 'officer' } as const;
  const trusted = await Promise.all(
    Object.entries(roles).map(async ([name, role]) => ({
      name,
      role,
      publicKey: (await openFileSigner(keyOf(name))).publicKey,
    })),
  );
  const ticketQuorum = { required: 2, officers: ['ada', 'bob'] };
  const hex = trusted.map((key) => ({ ...key, publicKey: toHex(key.publicKey) }));
  const file = write('gateway.json', JSON.stringify({ trusted: hex, ticketQuorum }));
  return { file, trusted, ticketQuorum };
}

async function drafted(changes: object = {}): Promise<string> {
  const { out } = await holdfast(['ticket', 'draft']);
  return write('order.json', JSON.stringify({ ...JSON.parse(out), ...changes }));
}

const holdfast = (args: readonly string[]) => inProcess(args, { openSigner: openKeyFile });

const approve = (order: string, officer: string, key = officer) =>
  holdfast(['ticket', 'approve', order, '--officer', officer, '--key', keyOf(key), '--reason', 'as planned']);

describe('holdfast ticket', () => {
  it('takes an order from draft to a ticket that is accepted, through the hands of three people', async () => {
    const judge = await judgeFile();
    const order = await drafted({ ticket: 'ORDER-7' });
    const checked = await holdfast(['ticket', 'draft', order]);
    assert.match(checked.out, /order +ORDER-7[\s\S]*at most 1000, EIDs from 8904/);
    const approvals: string[] = [];
    for (const officer of ['ada', 'bob']) {
      const { out, err, code } = await approve(order, officer);
      assert.equal(code, 0);
      assert.match(err, /ORDER-7/, 'the officer sees what is signed');
      approvals.push(write(`${officer}.approval`, out));
    }
    const signing = ['--key', keyOf('authority'), '--judge', judge.file];
    const signed = await holdfast(['ticket', 'sign', order, ...approvals, ...signing]);
    assert.equal(signed.code, 0, signed.err);
    const use = { station: 'station-1', nowMs: Date.now(), quorum: judge.ticketQuorum };
    const ticket = openApprovedTicket(signed.out.trim(), use, judge.trusted, nodeCrypto);
    assert.equal(ticket.ticket, 'ORDER-7');

    const file = write('ticket.jws', signed.out);
    const shown = await holdfast(['ticket', 'show', file, '--judge', judge.file]);
    assert.equal(shown.code, 0);
    assert.match(shown.out, /approved by ada .*as planned[\s\S]*approved by bob[\s\S]*accepted/);
    const [head, , tail] = signed.out.trim().split('.');
    const other = Buffer.from(JSON.stringify({ ...ticket, quota: 9999 })).toString('base64url');
    const altered = write('altered.jws', `${head}.${other}.${tail}`);
    const refused = await holdfast(['ticket', 'show', altered, '--judge', judge.file]);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /TICKET_INVALID/);
  });

  it('signs nothing that too few have approved, or one with another’s key', async () => {
    const judge = await judgeFile();
    const order = await drafted();
    const ada = write('one.approval', (await approve(order, 'ada')).out);
    const forged = write('two.approval', (await approve(order, 'bob', 'ada')).out);
    const signing = ['--key', keyOf('authority'), '--judge', judge.file];
    const alone = await holdfast(['ticket', 'sign', order, ada, ...signing]);
    assert.deepEqual([alone.code, alone.out], [1, '']);
    assert.match(alone.err, /APPROVALS_MISSING/);
    const both = await holdfast(['ticket', 'sign', order, ada, forged, ...signing]);
    assert.deepEqual([both.code, both.out], [1, '']);
    assert.match(both.err, /APPROVAL_REFUSED/);
  });

  it('refuses an order that contradicts itself, and says where', async () => {
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ quota: 1001 }, /covers 1000 EIDs/],
      [{ quota: 0 }, /quota/],
      [{ cardProfile: 'nobody' }, /nobody/],
      [{ stations: ['station-1', 'station-1'] }, /twice/],
      [{ more: 1 }, /more/],
    ];
    for (const [changes, words] of wrong) {
      const { code, err } = await holdfast(['ticket', 'draft', await drafted(changes)]);
      assert.equal(code, 1);
      assert.match(err, /ORDER_INVALID/);
      assert.match(err, words);
    }
  });

  it('drafts an order that has the form of one', async () => {
    const { out } = await holdfast(['ticket', 'draft']);
    assert.ok(orderForm.safeParse(JSON.parse(out)).success);
  });
});
