import assert from 'node:assert/strict';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import type { Means } from '../../runtime/cli/means.ts';
import { runCommandLine } from '../../runtime/cli/run.ts';
import { plain } from '../../runtime/cli/screen.ts';
import { explanation } from '../../runtime/core/fault-text.ts';
import { type FaultCode, faults } from '../../runtime/core/faults.ts';
import { holdfast, linesOf, nothingElse } from './support.ts';

const COMMANDS = [
  ...['status', 'journal', 'explain'],
  ...['fleet list', 'fleet show', 'fleet export', 'fleet backup', 'fleet restore', 'fleet proof'],
  ...['fleet may-ship', 'fleet state', 'fleet blast-radius', 'fleet life', 'fleet approve'],
  ...['fleet migrate', 'fleet reconcile'],
  ...['audit verify', 'audit export', 'audit timestamp request', 'audit timestamp keep'],
  ...['transcript show', 'transcript verify'],
  ...['ceremony officer', 'ceremony component', 'ceremony recipient', 'ceremony plan', 'ceremony approve'],
  ...['ceremony run', 'ceremony verify', 'ceremony witness', 'ceremony link', 'ceremony receive'],
  ...['ticket draft', 'ticket approve', 'ticket sign', 'ticket show', 'ticket counts', 'ticket close'],
  ...['ticket refusals'],
  ...['pki revoke', 'pki approve', 'pki verify', 'pki expiry', 'pki drill', 'pki root init'],
  ...['pki root certify', 'pki root crl'],
  ...['proof verify'],
  ...['witness'],
  ...['operator sign-in', 'operator sign-out', 'operator show', 'operator draft', 'operator approve'],
  ...['operator register', 'operator remove', 'operator list'],
  ...['enrol request', 'enrol code', 'enrol approve', 'enrol sign', 'enrol admit', 'enrol install'],
  ...['enrol renew', 'enrol office', 'enrol revoke', 'enrol revoked', 'enrol tell', 'enrol crl'],
  ...['help'],
];

const EID = '89049032000000000000000000009960';

/** Means with nothing behind them: a mistake is found before anything is opened. */
function nothing(said: { out: string; err: string }): Means {
  const opened = (): never => assert.fail('something was opened');
  return {
    print: (line) => {
      said.out += `${line}\n`;
    },
    talk: (line) => {
      said.err += `${line}\n`;
    },
    paint: plain,
    version: '0.0.0',
    now: () => 0,
    crypto: nodeCrypto,
    files: { exists: () => false, read: opened, names: () => [], parent: (path) => path },
    databaseUrl: null,
    ...nothingElse,
    openJournal: async () => opened(),
    openFleet: async () => opened(),
    openLedger: async () => opened(),
    openToken: async () => opened(),
  };
}

describe('what was mistyped', () => {
  const mistakes: readonly (readonly [typed: string, told: RegExp])[] = [
    ['', /Usage: holdfast COMMAND/],
    ['jurnal', /there is no command jurnal; did you mean journal\?/],
    ['fleet', /a second word: fleet list, fleet show, fleet export/],
    ['fleet lst', /a second word: fleet list, fleet show, fleet export/],
    ['--dir x journal', /the command comes first/],
    ['journal', /--dir is missing/],
    ['ceremony plan', /say which: a plan: FILE/],
    ['ceremony verify', /say which: a RECORD/],
    ['ceremony officer', /--officer is missing/],
    ['ceremony recipient carry.key', /--recipient is missing/],
    ['ceremony receive', /a FILE that was carried/],
    ['ceremony component', /a FILE that is not there yet/],
    ['ceremony component x --bytes 24', /16 or 32 bytes/],
    ['journal --dir', /--dir takes a value: DIR/],
    ['journal --dir --verify', /--dir takes a value: DIR/],
    ['journal --dir x --sinse today', /no option --sinse; did you mean --since\?/],
    ['journal --dir x --since soon', /--since does not understand soon/],
    ['journal --dir x -n many', /-n takes a whole number from 0 on, not many/],
    ['journal --dir x -o xml', /-o takes short or json, not xml/],
    ['journal --dir x --eid 89049032000000000000000000009999', /--eid takes an EID/],
    ['journal --dir x --verify -n 3', /--verify checks the whole journal/],
    ['journal --dir x --verify=yes', /--verify takes no value/],
    ['journal --dir x --constructor', /no option --constructor/],
    ['journal extra --dir x', /extra was not expected here/],
    ['explain CARD_ABSNT', /no fault code CARD_ABSNT; did you mean CARD_ABSENT\?/],
    ['fleet show', /--eid is missing/],
    ['fleet show --eid 123', /--eid takes an EID/],
    ['fleet list --limit 0', /--limit takes a whole number from 1 on/],
    ['fleet list --database mysql://x', /a URL that begins with postgresql:/],
    ['audit verify --log-key x', /--log-key takes NAME:HEX/],
    ['transcript', /a second word: transcript show, transcript verify/],
    ['transcript show', /--eid is missing/],
    ['transcript show --eid 123', /--eid takes an EID/],
    [`transcript show --eid ${EID} --ledger mysql://x`, /a URL that begins with postgresql:/],
    ['transcript verify', /say which transcript: a FILE, or --eid EID/],
    ['transcript verify x --eid 1', /say which transcript: a FILE, or --eid EID/],
    ['transcript verify x --gateway-key 12', /--gateway-key takes a P-256 point/],
    ['transcript verify x --dir y', /say whose signature counts/],
    [`transcript verify x --dir y --gateway-key 04${'0'.repeat(128)}`, /say who issued the certificate/],
    [`transcript verify x --gateway-key 04${'0'.repeat(128)} --issuer x`, /--issuer takes NAME=FILE/],
    ['help jurnal', /there is no command jurnal; did you mean journal\?/],
  ];
  for (const [typed, told] of mistakes)
    it(`exits 2 after: holdfast ${typed}`, async () => {
      const said = { out: '', err: '' };
      const code = await runCommandLine(
        typed.split(' ').filter((word) => word !== ''),
        nothing(said),
      );
      assert.equal(code, 2, said.err);
      assert.equal(said.out, '');
      assert.match(said.err, told);
    });

  it('is told to people with cause and remedy, and never as a stack trace', async () => {
    const { code, out, err } = await holdfast(['journal', '--dir', 'x', '--sinse', 'today']);
    assert.equal(code, 2);
    assert.equal(out, '');
    assert.match(err, /^The command was not understood \(USAGE\)\n {2}Cause: .*\n {2}Remedy: /);
    assert.match(err, /^Usage: holdfast journal \[--dir DIR\]/m);
    assert.doesNotMatch(err, /^ +at /m);
  });

  it('is told as JSON to a program', async () => {
    const { code, err } = await holdfast(['journal', '--json']);
    assert.equal(code, 2);
    assert.equal(JSON.parse(err).fault.code, 'USAGE');
  });
});

describe('holdfast help', () => {
  it('lists every command, and tells of each its options and examples', async () => {
    const told = async (...argv: readonly string[]): Promise<string> => {
      const said = { out: '', err: '' };
      assert.equal(await runCommandLine(argv, nothing(said)), 0, said.err);
      return said.out;
    };
    const out = await told('help');
    for (const name of COMMANDS) {
      assert.match(out, new RegExp(`^ {2}${name} `, 'm'));
      const asked = await told('help', ...name.split(' '));
      assert.match(asked, new RegExp(`^Usage: holdfast ${name}`, 'm'));
      assert.match(asked, /--json/);
      assert.equal(await told(...name.split(' '), '--help'), asked);
    }
    assert.deepEqual(
      JSON.parse(await told('help', '--json')).map((command: { name: string }) => command.name),
      COMMANDS,
    );
    assert.equal((await holdfast(['--help'])).out.replace(/\d+\.\d+\.\d+/, '0.0.0'), out);
  });

  it('gives the version', async () => {
    assert.match((await holdfast(['--version'])).out, /^holdfast \d+\.\d+\.\d+\n$/);
    assert.match(JSON.parse((await holdfast(['--version', '--json'])).out).version, /^\d/);
  });
});

describe('holdfast explain', () => {
  it('explains a code, however it was copied', async () => {
    const { code, out } = await holdfast(['explain', 'CARD_ABSENT']);
    assert.equal(code, 0);
    for (const text of [faults.CARD_ABSENT.title, faults.CARD_ABSENT.cause, faults.CARD_ABSENT.remedy])
      assert.ok(out.includes(text));
    assert.equal((await holdfast(['explain', '(card-absent)'])).out, out);
    assert.equal(JSON.parse((await holdfast(['explain', 'CARD_ABSENT', '--json'])).out).code, 'CARD_ABSENT');
  });

  it('explains every code as it stands in the catalogue', async () => {
    for (const code of Object.keys(faults) as FaultCode[]) {
      const said = { out: '', err: '' };
      assert.equal(await runCommandLine(['explain', code], nothing(said)), 0, said.err);
      assert.equal(said.out.trimEnd(), explanation(code));
    }
  });

  it('lists every code with its title', async () => {
    const { out } = await holdfast(['explain']);
    assert.equal(linesOf(out).length, Object.keys(faults).length);
    for (const [code, { title }] of Object.entries(faults))
      assert.match(out, new RegExp(`^${code} +${title.replaceAll(/[.()]/g, '\\$&')}$`, 'm'));
  });
});

describe('a place where nothing is', () => {
  it('is a fault with a remedy', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'cli-nothing-'));
    for (const args of [
      ['journal', '--dir', directory],
      ['status', '--dir', directory],
    ]) {
      const { code, err } = await holdfast(args);
      assert.equal(code, 1);
      assert.match(err, /JOURNAL_MISSING/);
      assert.match(err, /Remedy: /);
    }
    const { code, err } = await holdfast(['fleet', 'list', '--dir', directory]);
    assert.equal(code, 1);
    assert.match(err, /FILE_UNREADABLE/);
    rmdirSync(directory);
  });
});
