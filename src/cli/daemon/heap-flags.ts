/**
 * What Node.js is started with for a process that stays. Left to itself it lets the heap grow with the memory of the machine before it
 * tidies up: 170 MB after some thousand questions, and 110 MB with these. The 40 MB that are kept of calendars at most fit many times.
 */
export const HEAP_FLAGS = ['--max-semi-space-size=8', '--max-old-space-size=512'] as const;
