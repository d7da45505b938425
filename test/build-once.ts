/** The tests that run the built program get the one of these sources. */
import { buildMissing } from '../scripts/prepare.mjs';

export default function setup(): void {
  buildMissing();
}
