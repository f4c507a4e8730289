import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { VirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { connectVpcd } from '../../drivers/card-reader/virtual-se/vpcd.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { bytes, cardOf, chip, EID, hex, openSession } from './support.ts';
import { openVpcdPeer } from './vpcd-peer.ts';

const ATR_WANTED = Buffer.of(0x04);
const GET_EID = bytes('80ca005a00');

describe('the virtual SE in the virtual reader', () => {
  it('answers ATR polls, powered or not, and commands, whole or in pieces', async () => {
    const card = cardOf(chip());
    await using peer = await openVpcdPeer();
    await using _link = await connectVpcd({ port: peer.port, card: () => card });
    await peer.inserted();
    assert.equal(hex((await peer.ask(ATR_WANTED)) ?? bytes('')), card.state.atr);
    peer.control(0x01);
    assert.equal(hex((await peer.ask(GET_EID)) ?? bytes('')), `5a10${EID}9000`);
    assert.equal(hex((await peer.ask(GET_EID, { inPieces: true })) ?? bytes('')), `5a10${EID}9000`);
    peer.control(0x00);
    assert.equal(hex((await peer.ask(ATR_WANTED)) ?? bytes('')), card.state.atr);
    assert.equal(await peer.ask(GET_EID), null, 'without power it is as good as pulled');
  });

  it('drops its session at reset, power-off and power-on', async () => {
    const card = cardOf(chip());
    await using peer = await openVpcdPeer();
    await using _link = await connectVpcd({ port: peer.port, card: () => card });
    await peer.inserted();
    for (const controls of [[0x02], [0x00, 0x01], [0x01]]) {
      peer.control(0x01);
      assert.equal((await peer.ask(GET_EID))?.length, 20);
      const session = openSession(card);
      for (const code of controls) peer.control(code);
      assert.equal(hex((await peer.ask(session.wrap('80ca005a00'))) ?? bytes('')), '6982');
    }
  });

  it('takes a card behind the connection that is open already, and hangs up on commands to none', async () => {
    let card: VirtualSe | null = null;
    await using peer = await openVpcdPeer();
    await using _link = await connectVpcd({ port: peer.port, card: () => card });
    await peer.inserted();
    assert.equal(hex((await peer.ask(ATR_WANTED)) ?? bytes('')), chip().atr);
    card = cardOf(chip());
    assert.equal(hex((await peer.ask(GET_EID)) ?? bytes('')), `5a10${EID}9000`);
    card = null;
    assert.equal(await peer.ask(GET_EID), null);
  });

  it('tells of a reader that is gone, and of none where it was asked to go', async () => {
    const card = cardOf(chip());
    const peer = await openVpcdPeer();
    const link = await connectVpcd({ port: peer.port, card: () => card });
    await peer.inserted();
    peer.hangUp();
    assert.equal((await link.closed)?.code, 'READER_SERVICE_DOWN');
    assert.equal(hex(card.transmit(GET_EID)), '', 'a card that is out has no power');
    await peer[Symbol.asyncDispose]();
    await assert.rejects(
      connectVpcd({ port: peer.port, card: () => card }),
      (error) => isFault(error) && error.code === 'READER_SERVICE_DOWN',
    );
  });

  it('hangs up on what no reader says', async () => {
    const card = cardOf(chip());
    for (const message of [bytes('07'), bytes('0102'), bytes('')]) {
      await using peer = await openVpcdPeer();
      await using link = await connectVpcd({ port: peer.port, card: () => card });
      await peer.inserted();
      assert.equal(await peer.ask(message), null);
      assert.equal((await link.closed)?.code, 'READER_SERVICE_DOWN');
    }
  });
});
