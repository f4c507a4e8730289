/** Rewrites what documents repeat of the code: `npm run docs`. The tidy test fails when they differ. */
import { readFileSync, writeFileSync } from 'node:fs';
import { pages } from './documents/pages.ts';

for (const page of pages) {
  const before = readFileSync(page.path, 'utf8');
  const after = page.text(before);
  if (after !== before) writeFileSync(page.path, after);
  process.stdout.write(`${after === before ? 'current  ' : 'rewritten'} ${page.path}\n`);
}
