/**
 * Returns whether registrations without a token must be renewed, so that their number stays bounded. This is cheaper
 * than tokens: a registration with a token costs three times as much.
 */
export const areStale = (registered: number, live: number): boolean => registered > 2 * live + 8
