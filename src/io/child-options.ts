/** What accounts.yaml says of child servers, whatever the vendor. */
import { z } from 'zod';

/** What is said of a `child:` that is neither. */
export const CHILD_FORMS = 'write true, or a map; leave it out for none';

/** A program of the person's own: a local build, a wrapper. Its own arguments come first, then those of calmcp. */
export const childCommandSchema = z
  .array(z.string().min(1))
  .min(1)
  .describe(
    'Program and first arguments of a server of your own (a local build, a wrapper), run without a shell; default: the installed package.',
  );
