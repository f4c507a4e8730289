/** Generated parts of a Markdown page: what stands between two markers, everything else is written by hand. */

/** Fills `<!-- generated: name -->` to `<!-- end: name -->` for every name. @throws RangeError when a marker is missing */
export function fillParts(page: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, content]) => fillPart(text, name, content), page);
}

function fillPart(page: string, name: string, content: string): string {
  const opening = `<!-- generated: ${name} -->`;
  const closing = `<!-- end: ${name} -->`;
  const from = page.indexOf(opening);
  const to = page.indexOf(closing);
  if (from < 0 || to < from) throw new RangeError(`the page has no part ${name}`);
  return `${page.slice(0, from + opening.length)}\n\n${content.trim()}\n\n${page.slice(to)}`;
}

/** A Markdown table; a bar in a cell is escaped. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), `|${' --- |'.repeat(heads.length)}`, ...rows.map(line)].join('\n');
}

export const code = (text: string): string => `\`${text}\``;
