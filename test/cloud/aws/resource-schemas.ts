/** What CloudFormation asks for in its caller's name, by AWS's schemas of resources, which come with cfn-lint. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { testPython } from '../../python.ts';

type Handler = 'create' | 'read' | 'delete';

interface Schema {
  readonly handlers?: { readonly [handler: string]: { readonly permissions?: readonly string[] } };
}

/** Named by a schema for what no template here uses: keys of other services, gateways to a VPN, encryption within a VPC. */
const UNUSED = /^(?:vpc-lattice|vpce):|VpnGateway$|^ec2:CreateVpcEncryptionControl$/;

let types: { readonly [type: string]: string } | undefined;

/** IAM actions, sorted. */
export function permissionsOf(type: string, handlers: readonly Handler[]): readonly string[] {
  const lib = join(dirname(dirname(testPython())), 'lib');
  const python = readdirSync(lib).find((name) => name.startsWith('python')) ?? '';
  const read = (file: string) =>
    JSON.parse(readFileSync(join(lib, python, 'site-packages', 'cfnlint', 'data', 'schemas', file), 'utf8')) as unknown;
  types ??= read('providers/us-east-1.json') as { readonly [type: string]: string };
  const { handlers: known } = read(`resources/${types[type]}.json`) as Schema;
  const all = handlers.flatMap((handler) => known?.[handler]?.permissions ?? []);
  // What is read of gateways to a VPN is read of every gateway.
  return [...new Set(all)].filter((each) => each.startsWith('ec2:Describe') || !UNUSED.test(each)).sort();
}
