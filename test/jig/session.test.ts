import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openSystemClock } from '../../drivers/clock/system.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { type Board, createBoard } from '../../drivers/jig/controller/board.ts';
import { createFirmataPeer } from '../../drivers/jig/controller/firmata-peer.ts';
import { createFixture } from '../../drivers/jig/controller/fixture.ts';
import { clampValvePin, simulatedNestPins } from '../../drivers/jig/controller/pin-map.ts';
import { createVolatileMemory } from '../../drivers/jig/controller/state-file.ts';
import { Link, type Port } from '../../drivers/jig/firmata/link.ts';
import { defaultJigDeadlines } from '../../drivers/jig/firmata/options.ts';
import { type Session, type SessionEvent, startSession } from '../../drivers/jig/firmata/session.ts';
import { type Bytes, fromHex, toHex } from '../../runtime/core/bytes.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { TAG_KEY, until } from './board-rig.ts';

/** A serial port in memory, with the board at its other end. */
interface MemoryPort extends Port {
  isOpen: boolean;
  readonly written: string[];
  say(bytes: Bytes): void;
  /** The cable is pulled. */
  break(): void;
}

function memoryPort(board: (bytes: Bytes) => void): MemoryPort {
  const hear: ((bytes: Bytes) => void)[] = [];
  const closed: ((error?: Error | null) => void)[] = [];
  const written: string[] = [];
  return {
    isOpen: true,
    written,
    on(event: string, handler: unknown) {
      if (event === 'data') hear.push(handler as (bytes: Bytes) => void);
      if (event === 'close') closed.push(handler as (error?: Error | null) => void);
    },
    write(bytes) {
      written.push(toHex(bytes));
      setImmediate(() => board(bytes));
    },
    close(done) {
      this.isOpen = false;
      done(null);
    },
    say: (bytes) => {
      for (const handler of hear) handler(bytes);
    },
    break() {
      this.isOpen = false;
      for (const handler of closed) handler(new Error('disconnected'));
    },
  };
}

interface Desk {
  readonly session: Session;
  readonly events: SessionEvent[];
  readonly ports: MemoryPort[];
}

function desk(wire: (port: () => MemoryPort) => (bytes: Bytes) => void): Desk {
  const ports: MemoryPort[] = [];
  const events: SessionEvent[] = [];
  const session = startSession({
    options: {
      serialPath: 'memory',
      controller: 'gate-1',
      nests: { n1: simulatedNestPins },
      plain: null,
      deadlines: { ...defaultJigDeadlines, reportMs: 150, reconnectMs: 20, handshakeMs: 400 },
    },
    openPort: async () => {
      const port: MemoryPort = memoryPort(wire(() => port));
      ports.push(port);
      return port;
    },
    firstQuery: 0,
    onEvent: (event) => events.push(event),
  });
  return { session, events, ports };
}

/** The whole board, which lives on while ports come and go. */
function boardDesk(): Desk & { readonly board: Board } {
  const clock = openSystemClock();
  let line: (() => MemoryPort) | null = null;
  const fixture = createFixture({
    clock,
    self: {
      controller: 'gate-1',
      nest: 'n1',
      cipher: (block) => nodeCrypto.aesEncryptBlock(fromHex(TAG_KEY), block),
    },
    memory: createVolatileMemory(),
    motion: { arriveMs: 2, clampMs: 2, gateMs: 2, leaveMs: 2 },
    seat: async () => undefined,
    openTimeoutMs: 500,
    hostTimeoutMs: 500,
  });
  const board = createBoard({
    fixture,
    clock,
    send: (bytes) => line?.().say(bytes),
    hangUp: () => line?.().break(),
  });
  const made = desk((port) => {
    line = port;
    return board.receive;
  });
  return { ...made, board };
}

async function firstEvent(events: readonly SessionEvent[]): Promise<SessionEvent | undefined> {
  await until(() => events.length > 0);
  return events[0];
}

describe('a session with a board that is not ours', () => {
  it('refuses plain Firmata, and writes nothing to its pins', async () => {
    const outputs: string[] = [];
    const { session, events, ports } = desk((port) => {
      const peer = createFirmataPeer({
        firmware: 'StandardFirmata.ino',
        role: () => 'free',
        send: (bytes) => port().say(bytes),
        onOutput: (pin, level) => outputs.push(`${pin}=${level}`),
        onSysex: () => undefined,
      });
      outputs.length = 0;
      return peer.receive;
    });
    const event = await firstEvent(events);
    await session.close();
    assert.equal(event?.kind === 'lost' && event.fault.code, 'JIG_REFUSED');
    assert.deepEqual(outputs, []);
    assert.equal(ports[0]?.isOpen, false);
  });

  it('refuses a protocol older than 2.5, which cannot write one pin alone', async () => {
    const { session, events } = desk((port) => (bytes) => {
      const asked = toHex(bytes);
      if (asked.includes('f9')) port().say(fromHex('f90204f07902045800f7'));
      if (asked.includes('f06bf7')) port().say(fromHex('f06c7ff7'));
      if (asked.includes('f069f7')) port().say(fromHex('f06a7ff7'));
    });
    const event = await firstEvent(events);
    await session.close();
    assert.equal(event?.kind === 'lost' && event.fault.code, 'JIG_REFUSED');
  });

  it('gives up on a silent line, and tries again on a new port', async () => {
    const { session, events, ports } = desk(() => () => undefined);
    const event = await firstEvent(events);
    assert.equal(event?.kind === 'lost' && event.fault.code, 'JIG_LINK_LOST');
    await until(() => ports.length > 1);
    await session.close();
    assert.equal(ports[0]?.isOpen, false);
  });
});

describe('a session over its connections', () => {
  it('never writes to a port again after the link went down, and arms a new one at safe levels', async () => {
    const { session, events, ports, board } = boardDesk();
    await until(() => events.some(({ kind }) => kind === 'ready'));
    await session.clamp('n1', 'open');
    const [first] = ports;
    board.misbehave({ kind: 'hang-up', forMs: 1 });
    const before = first?.written.length;
    await assert.rejects(
      session.clamp('n1', 'open'),
      (error) => isFault(error) && error.code === 'JIG_LINK_LOST',
    );
    await until(() => events.filter(({ kind }) => kind === 'ready').length === 2);
    assert.equal(first?.written.length, before);
    const valve = ports[1]?.written.filter(
      (frame) => /f5..0[01]/.test(frame) && frame.includes(`f5${hexOf(clampValvePin)}`),
    );
    assert.ok(valve?.length && valve.every((frame) => frame.includes(`f5${hexOf(clampValvePin)}00`)));
    await session.close();
  });

  it('starts every frame with a lone F7, which ends a sysex that lost its own', async () => {
    const { session, events, ports } = boardDesk();
    await until(() => events.some(({ kind }) => kind === 'ready'));
    await session.lamp('n1', 'held');
    await session.close();
    assert.ok(ports[0]?.written.every((frame) => frame.startsWith('f7')));
  });

  it('shows the lamp again after a fault, and nothing else', async () => {
    const { session, events, ports, board } = boardDesk();
    await until(() => events.some(({ kind }) => kind === 'ready'));
    await session.lamp('n1', 'held');
    board.misbehave({ kind: 'hang-up', forMs: 1 });
    await until(() => events.filter(({ kind }) => kind === 'ready').length === 2);
    await session.close();
    const raised = ports[1]?.written.flatMap((frame) => frame.match(/f5..01/g) ?? []);
    assert.deepEqual(raised, [`f5${hexOf(simulatedNestPins.lamps.held[0] ?? 0)}01`]);
  });
});

describe('the link', () => {
  it('refuses to write to a closed port, tells of the end once, and survives a reader that throws', () => {
    const port = memoryPort(() => undefined);
    const ends: Error[] = [];
    const link = new Link(port, (error) => ends.push(error));
    let discarded = 0;
    link.discard = () => {
      discarded += 1;
    };
    link.on('data', () => {
      throw new TypeError('a pin that does not exist');
    });
    port.say(Uint8Array.of(1, 2));
    assert.deepEqual([link.damaged, discarded], [2, 2]);
    port.break();
    port.break();
    assert.equal(ends.length, 1);
    const failures: unknown[] = [];
    link.write(Uint8Array.of(0xf9), (error) => failures.push(error));
    assert.equal(failures.length, 1);
    assert.deepEqual(port.written, []);
  });
});

function hexOf(pin: number): string {
  return toHex(Uint8Array.of(pin));
}
