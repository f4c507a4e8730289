/** The table of MQTT channels, from their declarations. */
import { channels } from '../../runtime/core/messages/catalogue.ts';
import { code, table } from './parts.ts';

export function channelTable(): string {
  return table(
    ['Topic', 'From', 'To', 'QoS', 'Retained', 'What for'],
    channels.map(({ topic, from, to, qos, retain, summary }) => [
      code(topic),
      from,
      to,
      String(qos),
      retain ? 'yes' : 'no',
      summary,
    ]),
  );
}
