// node scripts/kill-rounds.mjs [2000]: kills that many processes while they refresh tokens, and looks at what they leave.
import { buildMissing, installMissing, run } from './prepare.mjs';

const rounds = process.argv[2] ?? '2000';
installMissing();
buildMissing();
run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', 'test/main-job/killed'], {
  env: { ...process.env, CALMCP_KILL_ROUNDS: rounds },
});
