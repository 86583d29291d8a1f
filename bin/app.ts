// The CDK app of this repository, from its sources: cdk.json names it. Users' projects have `trowel app` there.
import { synthesize } from '../lib/cloud/synthesize.ts';

await synthesize({ cwd: process.cwd() });
