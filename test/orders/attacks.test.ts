/** What somebody with a station's keys may try, and that nothing is given: each refused with its fault and an event. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import type { FaultCode } from '../../runtime/core/faults.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import { readLeaf } from '../../runtime/core/log/leaf.ts';
import { hashOf, seal } from '../../runtime/core/messages/envelope.ts';
import { reservation } from '../../runtime/core/messages/receipts.ts';
import { orderHash, ticketStatement } from '../../runtime/core/messages/ticket.ts';
import { REFUSALS_PER_MINUTE } from '../../runtime/core/orders/refusal.ts';
import { approvedBy, signedTicket } from '../../scripts/simulation/orders.ts';
import { simulatedOrder } from '../../scripts/simulation/parties.ts';
import { usualSupply } from '../../scripts/simulation/supply.ts';
import type { World } from '../../scripts/simulation/world.ts';
import {
  given,
  goodTicket,
  later,
  openDialogue,
  quietPlant,
  refusalsInLedger,
  refusalsInLog,
  reserve,
} from './attack.ts';

const NOTHING = { operations: 0, dialogues: 0, certificates: 0 };
const DAY_MS = 86_400_000;

/** An order of this plant, with what is changed. */
function orderIn(world: World, changes: Parameters<typeof goodTicket>[1] = {}) {
  const stations = ['station-1', 'station-2'];
  return simulatedOrder({ stations, quota: 3, nowMs: world.clock.now(), supply: usualSupply, changes });
}

/** The ticket of an order with these approvals, whatever they are of. */
function ticketWith(
  world: World,
  approvals: readonly string[],
  changes: Parameters<typeof goodTicket>[1] = {},
) {
  const payload = {
    ...orderIn(world, changes),
    signedAt: instantOf(world.clock.now()),
    approvals: [...approvals],
  };
  return seal(ticketStatement, payload, world.parties.ticketAuthority, nodeCrypto);
}

/** Approvals of the given officers, by their place, of an order with these changes. */
function approvals(
  world: World,
  officers: readonly number[],
  changes: Parameters<typeof goodTicket>[1] = {},
) {
  const subject = orderHash(orderIn(world, changes), nodeCrypto);
  return Promise.all(
    officers.map((i) => {
      const officer = world.parties.officers[i] ?? assert.fail('no officer');
      return approvedBy(officer, subject, world.clock.now());
    }),
  );
}

const altered = (jws: string): string => {
  const [head = '', body = '', tail = ''] = jws.split('.');
  const order = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as object;
  return `${head}.${Buffer.from(JSON.stringify({ ...order, quota: 1_000_000 })).toString('base64url')}.${tail}`;
};

/** Tickets that a station must not work under: how each is come by, what it is refused with, who it names. */
const tickets: readonly (readonly [what: string, FaultCode, (world: World) => Promise<string>])[] = [
  ['out of its range', 'TICKET_EID_REFUSED', (world) => goodTicket(world, { eidRule: { prefix: '1' } })],
  [
    'that is expired',
    'TICKET_INVALID',
    (world) => {
      const past = {
        notBefore: instantOf(world.clock.now() - 2 * DAY_MS),
        notAfter: instantOf(world.clock.now() - 1),
      };
      return goodTicket(world, past);
    },
  ],
  ['of other stations', 'TICKET_INVALID', (world) => goodTicket(world, { stations: ['station-2'] })],
  ['whose quota was altered', 'TICKET_INVALID', async (world) => altered(await goodTicket(world))],
  [
    'signed by no authority',
    'TICKET_INVALID',
    (world) => {
      const [station] = world.parties.stationSigners;
      const by = { ...world.parties, ticketAuthority: station ?? assert.fail('no key') };
      return signedTicket(orderIn(world), by, world.clock.now());
    },
  ],
  [
    'approved by one officer only',
    'APPROVALS_MISSING',
    async (world) => ticketWith(world, await approvals(world, [0])),
  ],
  [
    'approved by one officer twice',
    'APPROVAL_REFUSED',
    async (world) => ticketWith(world, [...(await approvals(world, [0])), ...(await approvals(world, [0]))]),
  ],
  [
    'with the approvals of another order',
    'APPROVAL_REFUSED',
    async (world) => ticketWith(world, await approvals(world, [0, 1], { ticket: 'SIM-0', quota: 1 })),
  ],
];

describe('a reservation under a ticket', () => {
  for (const [what, code, make] of tickets)
    it(`${what} is refused as ${code}, and that is in the log`, async () => {
      const world = await quietPlant();
      const { refused } = await reserve(world, { ticket: await make(world), unit: 1, arrival: 1 });
      assert.equal(refused, code);
      assert.deepEqual(given(world), NOTHING);
      assert.deepEqual(refusalsInLog(world), [`${code} station-1 SIM-1`]);
      assert.deepEqual(world.fleet.tables.tickets.all(), []);
    });

  it('that is used up is refused, and that is in the log', async () => {
    const world = await quietPlant();
    const ticket = await goodTicket(world);
    for (const unit of [1, 2, 3])
      assert.equal((await reserve(world, { ticket, unit, arrival: unit })).refused, null);
    assert.equal((await reserve(world, { ticket, unit: 4, arrival: 4 })).refused, 'QUOTA_EXHAUSTED');
    assert.equal(given(world).operations, 3);
    assert.deepEqual(refusalsInLog(world), ['QUOTA_EXHAUSTED station-1 SIM-1']);
  });

  it('that another ticket’s unit comes to takes a unit of its quota, once', async () => {
    const world = await quietPlant();
    const first = await goodTicket(world, { quota: 2 });
    const second = await goodTicket(world, { ticket: 'SIM-2', quota: 1 });
    for (const unit of [1, 2]) await reserve(world, { ticket: first, unit, arrival: unit });
    for (const arrival of [3, 4])
      assert.equal((await reserve(world, { ticket: second, unit: 1, arrival })).refused, null);
    assert.equal((await reserve(world, { ticket: second, unit: 2, arrival: 5 })).refused, 'QUOTA_EXHAUSTED');
    for (const unit of [1, 2])
      assert.equal((await reserve(world, { ticket: first, unit, arrival: 5 + unit })).refused, null);
  });

  it('that is used up changes nothing for a unit that was moved: neither its nest nor its history', async () => {
    const world = await quietPlant();
    const [first, second] = [await goodTicket(world), await goodTicket(world, { ticket: 'SIM-2', quota: 1 })];
    await reserve(world, { ticket: first, unit: 1, arrival: 1 });
    await reserve(world, { ticket: second, unit: 2, arrival: 1, station: 2 });
    const { nests, operations, appearances } = world.fleet.tables;
    const before = [nests.all(), operations.all()];
    const moved = { ticket: second, unit: 1, arrival: 2, station: 2 };
    assert.equal((await reserve(world, moved)).refused, 'QUOTA_EXHAUSTED');
    assert.deepEqual([nests.all(), operations.all()], before);
    assert.deepEqual(appearances.all(), []);
    assert.deepEqual(refusalsInLog(world), ['QUOTA_EXHAUSTED station-2 SIM-2']);
  });

  it('faster than its takt waits until the time that is named, and then goes on', async () => {
    const world = await quietPlant();
    // A fifth above 50 an hour is one a minute; two stations may have one each at once.
    const ticket = await goodTicket(world, { unitsPerHour: 50 });
    for (const unit of [1, 2])
      assert.equal((await reserve(world, { ticket, unit, arrival: unit })).refused, null);
    const third = { ticket, unit: 3, arrival: 3 };
    assert.equal((await reserve(world, third)).refused, 'RATE_EXCEEDED');
    await later(world, 58_000);
    assert.equal((await reserve(world, third)).refused, 'RATE_EXCEEDED');
    await later(world, 2_000);
    assert.equal((await reserve(world, third)).refused, null);
    assert.deepEqual(
      refusalsInLog(world),
      ['RATE_EXCEEDED station-1 SIM-1'],
      'the same refusal is one event',
    );
  });

  it('from a revoked station is refused, though everything else is right', async () => {
    const world = await quietPlant();
    const since = instantOf(world.clock.now());
    const revoked = { station: 'station-1', number: 1, since, reason: 'stolen' };
    await world.fleet.connect().transaction((tx) => tx.insertRevokedStation(revoked));
    const ticket = await goodTicket(world);
    assert.equal((await reserve(world, { ticket, unit: 1, arrival: 1 })).refused, 'STATION_REVOKED');
    assert.deepEqual(given(world), NOTHING);
    assert.deepEqual(refusalsInLog(world), ['STATION_REVOKED station-1 SIM-1']);
    assert.equal((await reserve(world, { ticket, unit: 1, arrival: 1, station: 2 })).refused, null);
  });

  it('that is closed reserves nothing more, and resumes nothing', async () => {
    const world = await quietPlant();
    const ticket = await goodTicket(world);
    await reserve(world, { ticket, unit: 1, arrival: 1 });
    await world.fleet.connect().transaction((tx) => tx.closeTicket('SIM-1', instantOf(world.clock.now())));
    for (const unit of [1, 2])
      assert.equal((await reserve(world, { ticket, unit, arrival: 1 + unit })).refused, 'TICKET_CLOSED');
    assert.equal(given(world).operations, 1);
  });

  it('for a second unit in a nest waits until the gate controller has seen the first one end', async () => {
    const world = await quietPlant();
    const ticket = await goodTicket(world);
    assert.equal((await reserve(world, { ticket, unit: 1, arrival: 7 })).refused, null);
    for (const arrival of [7, 6])
      assert.equal((await reserve(world, { ticket, unit: 2, arrival })).refused, 'NEST_OCCUPIED');
    assert.equal((await reserve(world, { ticket, unit: 2, arrival: 7, station: 2 })).refused, null);
    assert.equal((await reserve(world, { ticket, unit: 3, arrival: 8 })).refused, null);
    assert.deepEqual(new Set(refusalsInLog(world)), new Set(['NEST_OCCUPIED station-1 SIM-1']));
  });
});

describe('a dialogue', () => {
  /** Unit 1 is reserved for station 1; nobody has opened a dialogue. */
  async function reservedPlant(changes: Parameters<typeof goodTicket>[1] = {}) {
    const world = await quietPlant();
    const ticket = await goodTicket(world, changes);
    const reserved = await reserve(world, { ticket, unit: 1, arrival: 1 });
    assert.equal(reserved.refused, null);
    return { world, ticket, reserved };
  }
  const nothingWith = (world: World, code: FaultCode, station = 'station-1'): void => {
    assert.deepEqual(given(world), { ...NOTHING, operations: 1 });
    assert.deepEqual(refusalsInLedger(world), [`${code} ${station} SIM-1`]);
  };

  it('under a reservation that another station brings, or another nest, is refused and kept', async () => {
    const { world, ticket, reserved } = await reservedPlant();
    assert.equal(await openDialogue(world, { ticket, reserved, station: 2 }), 'RESERVATION_STALE');
    nothingWith(world, 'RESERVATION_STALE', 'station-2');
    assert.equal(await openDialogue(world, { ticket, reserved, nest: 'b' }), 'RESERVATION_STALE');
    assert.equal(given(world).dialogues, 0);
  });

  it('for another chip than was reserved is refused and kept', async () => {
    const { world, ticket, reserved } = await reservedPlant();
    assert.equal(await openDialogue(world, { ticket, reserved, unit: 2 }), 'CARD_CHANGED');
    nothingWith(world, 'CARD_CHANGED');
  });

  it('under a ticket that too few approved is refused by the gateway too, whatever the backend reserved', async () => {
    const { world, reserved } = await reservedPlant();
    const ticket = await ticketWith(world, await approvals(world, [0]));
    const receipt = { ...(reserved.receipt ?? assert.fail()), ticketHash: hashOf(ticket, nodeCrypto) };
    const jws = await seal(reservation, receipt, world.parties.backendSigner, nodeCrypto);
    assert.equal(await openDialogue(world, { ticket, reserved: { ...reserved, jws } }), 'APPROVALS_MISSING');
    nothingWith(world, 'APPROVALS_MISSING');
  });

  it('under another ticket than was reserved under is refused and kept', async () => {
    const { world, reserved } = await reservedPlant();
    const ticket = await goodTicket(world, { quota: 4 });
    assert.equal(await openDialogue(world, { ticket, reserved }), 'TICKET_INVALID');
    nothingWith(world, 'TICKET_INVALID');
  });

  it('of a production order with a software token is refused and kept', async () => {
    const { world, ticket, reserved } = await reservedPlant({ profile: 'production' });
    assert.equal(await openDialogue(world, { ticket, reserved }), 'TICKET_INVALID');
    nothingWith(world, 'TICKET_INVALID');
  });

  it('of a card profile that nobody knows is refused and kept', async () => {
    const { world, ticket, reserved } = await reservedPlant({ cardProfile: 'foreign' });
    assert.equal(await openDialogue(world, { ticket, reserved }), 'TICKET_INVALID');
    nothingWith(world, 'TICKET_INVALID');
  });

  it('in an older epoch than was admitted is refused and kept', async () => {
    const { world, ticket, reserved } = await reservedPlant();
    const newer = await reserve(world, { ticket, unit: 1, arrival: 2 });
    assert.equal(newer.receipt?.epoch, 2);
    assert.equal(await openDialogue(world, { ticket, reserved: newer }), null);
    assert.equal(await openDialogue(world, { ticket, reserved }), 'RESERVATION_STALE');
    assert.equal(given(world).dialogues, 1);
    assert.deepEqual(refusalsInLedger(world), ['RESERVATION_STALE station-1 SIM-1']);
  });
});

describe('whoever is refused on purpose', () => {
  it('fills no log: past a bound refusals are counted, and one leaf has their number', async () => {
    const world = await quietPlant();
    const ticket = await goodTicket(world, { eidRule: { prefix: '1' } });
    const more = 5;
    for (let unit = 1; unit <= REFUSALS_PER_MINUTE + more; unit++)
      assert.equal((await reserve(world, { ticket, unit, arrival: unit })).refused, 'TICKET_EID_REFUSED');
    assert.equal(refusalsInLog(world).length, REFUSALS_PER_MINUTE);
    await later(world, 61_000);
    const last = world.fleet.tables.leaves.all().at(-1);
    const { body } = readLeaf(last?.entry ?? new Uint8Array(0)) ?? assert.fail('no leaf');
    assert.deepEqual([body.station, body.counted], ['station-1', { TICKET_EID_REFUSED: more }]);
  });
});
