/** Which parts of the code ran since it was last asked, from V8's own counters: nothing is instrumented. */
import { Session } from 'node:inspector';

export interface Coverage {
  /** Features of what ran since the last call: a block of code and how often, in powers of two. That a block did
   * not run is one too: where all of a function ran, V8 names no block of it. */
  take(): readonly string[];
  close(): void;
}

/** Counts blocks in the scripts whose URL matches. One at a time in a process. */
export function openCoverage(sources: RegExp): Coverage {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return {
    take: () => {
      const features: string[] = [];
      session.post('Profiler.takePreciseCoverage', (error, taken) => {
        if (error !== null) throw error;
        for (const { url, functions } of taken.result)
          if (sources.test(url))
            for (const { ranges } of functions)
              for (const { startOffset, endOffset, count } of ranges)
                features.push(
                  `${url}:${startOffset}-${endOffset}:${count === 0 ? 'not' : Math.floor(Math.log2(count))}`,
                );
      });
      return features;
    },
    close: () => {
      session.post('Profiler.stopPreciseCoverage');
      session.disconnect();
    },
  };
}
