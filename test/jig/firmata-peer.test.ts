import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createFirmataPeer,
  type FirmataPeer,
  type PinRole,
} from '../../drivers/jig/controller/firmata-peer.ts';
import { fromHex, toHex } from '../../runtime/core/bytes.ts';

interface Heard {
  readonly peer: FirmataPeer;
  /** Sends hexadecimal bytes and returns the answers. */
  say(hex: string): string;
  readonly outputs: string[];
  readonly sysex: string[];
}

function uno(role: (pin: number) => PinRole = () => 'free'): Heard {
  let said = '';
  const outputs: string[] = [];
  const sysex: string[] = [];
  const peer = createFirmataPeer({
    firmware: 'X',
    role,
    send: (bytes) => {
      said += toHex(bytes);
    },
    onOutput: (pin, level) => outputs.push(`${pin}=${level}`),
    onSysex: (command, content) => sysex.push(`${command}:${toHex(content)}`),
  });
  outputs.length = 0;
  return {
    peer,
    outputs,
    sysex,
    say: (hex) => {
      said = '';
      peer.receive(fromHex(hex));
      return said;
    },
  };
}

describe('the Firmata peer, as StandardFirmata 2.5.9', () => {
  it('answers version and firmware, and says both at boot', () => {
    const { say } = uno();
    assert.equal(say('f9'), 'f90205');
    assert.equal(say('f079f7'), 'f07902055800f7');
  });

  it('lists the capabilities of an Uno', () => {
    const answer = uno().say('f06bf7');
    assert.ok(answer.startsWith('f06c7f7f00010b010101040e7f00010b0101010308040e7f'));
    assert.ok(answer.endsWith('00010b010101020a040e06017ff7'));
    assert.equal(answer.length / 2, 195);
    assert.equal(uno().say('f069f7'), `f06a${'7f'.repeat(14)}000102030405f7`);
  });

  it('writes one pin, and shows mode and level', () => {
    const { say, outputs } = uno();
    assert.equal(say('f40201 f50201 f06d02f7'.replaceAll(' ', '')), 'f06e020101f7');
    assert.deepEqual(outputs, ['2=0', '2=1']);
    assert.equal(say('f06d63f7'), 'f06e63f7');
    assert.equal(say('f40e0bf06d0ef7'), 'f06e0e0b01f7');
  });

  it('ignores a write to a pin that is no output', () => {
    const { say, outputs } = uno();
    say('f40200f50201');
    assert.deepEqual(outputs, []);
  });

  it('answers an unknown mode with a string, and keeps the old one', () => {
    const { say } = uno();
    assert.ok(say('f40205').startsWith('f071'));
    assert.equal(say('f06d02f7'), 'f06e020100f7');
  });

  it('reports a port at once when asked, and then at each change', () => {
    const { peer, say } = uno();
    peer.setInput(14, 1);
    assert.equal(say('f40e0b d101'.replace(' ', '')), '914000');
    assert.equal(say(''), '');
    const heard: string[] = [];
    const { peer: other, say: tell } = uno();
    tell('f40e0bd101');
    other.setInput(14, 1);
    heard.push(tell('f9'));
    assert.deepEqual(heard, ['f90205']);
  });

  it('swallows everything after a lost F7 until the next one, SYSTEM_RESET included', () => {
    const { say, outputs } = uno();
    say('f40201');
    outputs.length = 0;
    assert.equal(say('f06d02 f50201 ff f9'.replaceAll(' ', '')), '');
    assert.equal(say('f7'), 'f06e020100f7');
    assert.deepEqual(outputs, []);
    say('f7f50201');
    assert.deepEqual(outputs, ['2=1']);
  });

  it('drops a truncated message at the next status byte, and data without a command', () => {
    const { say, outputs } = uno();
    say('f40201');
    outputs.length = 0;
    assert.equal(say('f502f9'), 'f90205');
    say('0102030405');
    assert.deepEqual(outputs, []);
  });

  it('leaves a HIGH output HIGH at SYSTEM_RESET while the pin state says 0', () => {
    const { say, outputs } = uno();
    say('f40201f50201');
    outputs.length = 0;
    assert.equal(say('fff06d02f7'), 'f06e020100f7');
    assert.deepEqual(outputs, []);
  });

  it('hands a user sysex on, and drops one that is too long', () => {
    const { say, sysex } = uno();
    say('f0010203f7');
    say(`f001${'00'.repeat(64)}f7`);
    assert.deepEqual(sysex, ['1:0203']);
  });

  it('never drives a sensor of the controller, nor a gate', () => {
    const { say, outputs } = uno((pin) => (pin === 8 ? 'none' : pin === 12 ? 'fixed-input' : 'free'));
    say('f40801f50801f40c01f50c019130009120');
    say('917f01');
    assert.deepEqual(
      outputs.filter((output) => output.startsWith('8=') || output.startsWith('12=')),
      [],
    );
  });
});
