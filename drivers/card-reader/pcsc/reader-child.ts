/**
 * The process of one reader. It may hang in a card that never answers, so it never ends by itself but by SIGKILL:
 * even process.exit would wait for the card.
 */
import type { PlayRequest, ReaderMessage, ReaderSettings } from './protocol.ts';

const die = (): void => {
  process.kill(process.pid, 'SIGKILL');
};
process.on('disconnect', die);
// Also when the connection was gone before anybody listened.
if (!process.connected) die();

const binding = await import('smartcard');
const { CardSession } = await import('./card-session.ts');

const settings = JSON.parse(process.argv[2] ?? '{}') as ReaderSettings;
/** Resolves when the message has left this process. */
const tell = (message: ReaderMessage): Promise<void> =>
  new Promise((resolve, reject) => {
    process.send?.(message, undefined, undefined, (error) => (error ? reject(error) : resolve()));
  });
const session = new CardSession(binding, settings, () => tell({ kind: 'connected' }));

process.on('message', (request: PlayRequest) => {
  session
    .play(request.actions)
    .then(tell)
    .catch((error: unknown) => {
      console.error(error);
      die();
    });
});
