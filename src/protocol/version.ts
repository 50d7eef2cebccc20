/**
 * The version of everything that is written down: reports, tokens, events. Raised when a reader would misread: when a
 * field that was there is gone, or means something else. Not by a field that may be absent, which older readers
 * pass over, nor by a new kind of event, which they call damaged: they misread neither.
 */
export const SCHEMA_VERSION = 1;
