import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const child = fileURLToPath(new URL('./prompt-child.js', import.meta.url));

/** What stands on the screen of a terminal when a prompt is answered key by key. */
function atTerminal(answers: Readonly<Record<string, string>>): Promise<string> {
  const terminal = spawn('script', ['-qec', `"${process.execPath}" "${child}"`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: 20_000,
  });
  let screen = '';
  const asked = new Set<string>();
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    for (const [custodian, keys] of Object.entries(answers))
      if (screen.includes(`${custodian}: 8`) && asked.size < asked.add(custodian).size)
        terminal.stdin.write(keys);
  });
  return new Promise((resolve, reject) => {
    terminal.once('error', reject);
    terminal.once('close', () => resolve(screen));
  });
}

describe('a component at the terminal', () => {
  it('is not shown, may be corrected, and ends with the line', async () => {
    const screen = await atTerminal({ carla: 'a1b2\x7f3c4d\r', dario: 'ffff\n' });
    assert.match(screen, /carla: 8 hexadecimal digits, not shown: /);
    assert.match(screen, /carla entered 7: 97 to 100/);
    assert.match(screen, /dario entered 4: 102 to 102/);
    for (const typed of ['a1', 'b2', '3c4d', 'ffff']) assert.ok(!screen.includes(typed), screen);
  });

  it('may be given up, and then nothing was entered', async () => {
    const screen = await atTerminal({ carla: 'a1b2\x03' });
    assert.match(screen, /CEREMONY_COMPONENT_WRONG|not the one that was planned/);
    assert.ok(!screen.includes('entered 4'));
    assert.ok(!screen.includes('a1b2'));
  });
});
