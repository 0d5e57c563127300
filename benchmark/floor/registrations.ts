/**
 * When registrations without a token have to be renewed. The least that keeps overwriting and removing from leaving
 * more and more behind: one that could be taken back, with a token, costs three times as much to make.
 */
export const areStale = (registered: number, live: number): boolean => registered > 2 * live + 8
