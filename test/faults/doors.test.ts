/** Every code of the catalogue is raised by its real cause, and is read as a technician would read it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { faultText } from '../../runtime/core/fault-text.ts';
import { type Fault, type FaultCode, faults } from '../../runtime/core/faults.ts';
import { assertNoTrace, assertReadable } from '../doors/refusal.ts';
import { cardDoors } from './card-doors.ts';
import type { Doors, Elsewhere } from './door.ts';
import { pkiDoors } from './pki-doors.ts';
import { backendDoors, busDoors, gatewayDoors } from './plant-doors.ts';
import { securityDoors } from './security-doors.ts';
import { stationDoors } from './station-doors.ts';

const doors: Doors = {
  ...stationDoors,
  ...cardDoors,
  ...busDoors,
  ...gatewayDoors,
  ...backendDoors,
  ...securityDoors,
  ...pkiDoors,
};
const codes = Object.keys(faults) as FaultCode[];
const raised = new Set<FaultCode>();

describe('a fault by its real cause', () => {
  for (const code of codes) {
    const [cause, by] = doors[code] ?? [];
    if (typeof by === 'function')
      it(`${code}: ${cause}`, async () => {
        const fault = await by();
        assert.equal(fault.code, code, JSON.stringify(fault.context));
        const text = faultText(fault);
        assertReadable(text, code);
        assertNoTrace(text);
        assertNoSecret(fault);
        raised.add(code);
      });
    else if (by !== undefined)
      it(`${code}: ${cause} (${by.file})`, () => {
        assertRaisedThere(by, code);
        raised.add(code);
      });
  }

  it('is known for every code of the catalogue', () => {
    assert.deepEqual(
      codes.filter((code) => !raised.has(code)),
      [],
    );
  });
});

/** The claim is there under its title, and speaks of this code before the next claim begins. */
function assertRaisedThere({ file, claim }: Elsewhere, code: FaultCode): void {
  assert.ok(existsSync(file), `${file} is there`);
  const source = readFileSync(file, 'utf8');
  const start = source.indexOf(`'${claim}'`);
  assert.ok(start > 0, `${file} claims: ${claim}`);
  const end = source.slice(start).search(/^\s*(?:it|describe)\(/m);
  const claimed = source.slice(start, end < 0 ? undefined : start + end);
  assert.match(claimed, new RegExp(`\\b${code}\\b`), `the claim is of ${code}`);
}

/** Longest run of hexadecimal digits that is no hash and no EID: half a key. */
const KEY_DIGITS = /(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/i;

/** Context is shown on screens: facts about the failure, and nothing that could be a key, a whole EID or a command. */
function assertNoSecret({ code, context }: Fault): void {
  for (const [name, value] of Object.entries(context)) {
    assert.doesNotMatch(String(value), KEY_DIGITS, `${code} shows ${name}`);
    assert.doesNotMatch(String(value), /(?<!\d)\d{32}(?!\d)/, `${code} shows an EID in ${name}`);
    assert.ok(String(value).length <= 500, `${code}: ${name} is no detail but a page`);
  }
}
