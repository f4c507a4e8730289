/** What went wrong in many nights, each with the command that tells it again. */
import type { Tally } from '../../scripts/night/tally.ts';

export const told = ({ failures }: Tally): readonly string[] =>
  failures.map(({ story, violations }) => {
    const again = story.seed === 'sweep' ? `--story '${JSON.stringify(story)}'` : `--seed ${story.seed}`;
    return `${violations.map(({ rule, text }) => `${rule}: ${text}`).join('; ')} (npm run simulate -- ${again})`;
  });
