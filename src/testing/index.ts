export {
  checkRehearsedFaults,
  parseRehearsedFault,
  rehearse,
  type RehearsedFault,
  type RehearsedStep,
} from './rehearsal.ts';
export { VirtualClock } from './virtual-clock.ts';
