/** Recurrence rules: read and written, laid out in time, cut in two, moved, told. What expands them is recurrence-rule.ts. */
export { describeRecurrence } from './recurrence-description.ts';
export { shiftRecurrence } from './recurrence-shift.ts';
export {
  checkStart,
  firstSlot,
  lastDayOf,
  momentOf,
  type SlotWindow,
  sameRecurrence,
  settleUntil,
  slotsOf,
  splitRecurrence,
  withUntil,
} from './recurrence-slots.ts';
export { formatRecurrence, parseRecurrence, RECURRENCE_HELP } from './recurrence-text.ts';
