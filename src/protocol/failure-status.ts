import { z } from 'zod';

/** How a node failed. */
export const FailureStatus = z.enum(['timeout', 'error', 'silent', 'invalid', 'refused', 'budget', 'cancelled']);
export type FailureStatus = z.infer<typeof FailureStatus>;
