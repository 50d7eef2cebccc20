/** The version of everything that is written down: reports, tokens, events. Raised when a reader would misread. */
export const SCHEMA_VERSION = 1;
