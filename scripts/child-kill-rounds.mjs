// node scripts/child-kill-rounds.mjs [1000]: starts and kills that many child servers, or the calmcp that they belong to.
import { buildMissing, installChildren, installMissing, run } from './prepare.mjs';

const rounds = process.argv[2] ?? '1000';
installMissing();
installChildren();
buildMissing();
run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', 'test/main-job/child-killed'], {
  env: { ...process.env, CALMCP_CHILD_KILL_ROUNDS: rounds },
});
