/** The broker's access list, evaluated as the broker does: nobody may do more than the declarations say. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accessList, channels } from '../../runtime/core/messages/catalogue.ts';
import { type Channel, filterOf } from '../../runtime/core/messages/channel.ts';

const plant = { enterprise: 'Works', site: 'Site', area: 'Area', line: 'Line-1' };
const list = accessList(
  {
    stations: ['station-1', 'station-2'],
    gateways: ['gateway-1', 'gateway-2'],
    backends: ['backend-1'],
    subscribers: ['mes-1'],
  },
  plant,
);

type Right = 'read' | 'write';

/** Each user's filters, by right. */
const rights = new Map<string, { readonly right: Right; readonly filter: string }[]>();
let user = '';
for (const line of list.split('\n')) {
  const [, name] = /^user (\S+)$/.exec(line) ?? [];
  const [, right, filter] = /^topic (read|write) (\S+)$/.exec(line) ?? [];
  if (name !== undefined) user = name;
  if (filter !== undefined)
    rights.set(user, [...(rights.get(user) ?? []), { right: right as Right, filter }]);
  else assert.match(line, /^(#.*|user .*|)$/, `not understood: ${line}`);
}

/** MQTT 5 section 4.7: `+` is one level, `#` the rest. */
function matches(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const given = topic.split('/');
  const rest = wanted.indexOf('#');
  const levels = rest < 0 ? wanted : wanted.slice(0, rest);
  return (
    (rest < 0 ? given.length === levels.length : given.length >= levels.length) &&
    levels.every((level, i) => level === '+' || level === given[i])
  );
}

const may = (who: string, right: Right, topic: string): boolean =>
  (rights.get(who) ?? []).some((r) => r.right === right && matches(r.filter, topic));

/** The topic of a channel as `station` and `instance` use it. */
const topic = (channel: Channel, station = 'station-1', instance = 'gateway-1'): string =>
  filterOf(channel, { ...plant, station, instance, nest: 'a' });

const programOf = {
  'station-1': 'station',
  'gateway-1': 'gateway',
  'backend-1': 'backend',
  'mes-1': 'mes',
} as const;

describe('the access list', () => {
  it('gives every program the channels that it sends and receives, and no other of them', () => {
    for (const [who, program] of Object.entries(programOf))
      for (const channel of channels) {
        assert.equal(
          may(who, 'write', topic(channel)),
          channel.from === program,
          `${who} writes ${channel.topic}`,
        );
        assert.equal(
          may(who, 'read', topic(channel)),
          channel.to === program,
          `${who} reads ${channel.topic}`,
        );
      }
  });

  it('keeps each station away from every topic of another', () => {
    for (const channel of channels) {
      const others = topic(channel, 'station-2');
      assert.ok(!may('station-1', 'write', others), `station-1 writes ${others}`);
      assert.ok(!may('station-1', 'read', others), `station-1 reads ${others}`);
    }
  });

  it('keeps each gateway away from the dialogues of another', () => {
    const requests = channels.filter((c) => c.topic.includes('{instance}') && c.from === 'station');
    assert.ok(requests.length > 0);
    for (const channel of requests)
      assert.ok(!may('gateway-2', 'read', topic(channel, 'station-1', 'gateway-1')));
  });

  it('lets a subscriber write nothing, and read status alone', () => {
    assert.ok((rights.get('mes-1') ?? []).every(({ right }) => right === 'read'));
    for (const read of ['holdfast/v1/req/station-1/backend/reserve', '$SYS/broker/version', 'other/topic'])
      assert.ok(!may('mes-1', 'read', read), read);
  });

  it('knows nobody else, and gives no one everything', () => {
    assert.deepEqual([...rights.keys()].sort(), [
      'backend-1',
      'gateway-1',
      'gateway-2',
      'mes-1',
      'station-1',
      'station-2',
    ]);
    for (const granted of rights.values())
      for (const { filter } of granted) assert.ok(!filter.startsWith('#') && !filter.startsWith('+'), filter);
  });
});

describe('the channels', () => {
  it('have one topic each; status alone is retained, and needs the broker to keep it', () => {
    const topics = channels.map((channel) => channel.topic);
    assert.equal(new Set(topics).size, topics.length);
    for (const channel of channels) {
      assert.equal(channel.qos, channel.to === 'mes' ? 1 : 0);
      assert.equal(channel.retain, channel.to === 'mes');
    }
  });

  it('keep requests and status apart', () => {
    for (const { topic: name, to } of channels)
      assert.equal(name.startsWith('holdfast/v1/'), to !== 'mes', name);
  });
});
