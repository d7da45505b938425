// npm run demo: the main job on the sandbox, from nothing.
import { buildMissing, installMissing, run } from './prepare.mjs';

installMissing();
buildMissing();
run(process.execPath, ['dist/main.js', 'demo']);
