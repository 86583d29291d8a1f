// `trowel app` from the sources, for work on them: `npx cdk synth --app 'node --import tsx bin/app.ts'`. cdk.json has the built one, which starts faster.
import { readFileSync } from 'node:fs';
import { main } from '../lib/cli/main.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
await main(['app'], version);
