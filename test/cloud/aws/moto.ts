/** moto's server, and how a call is passed on to it. */
import { Agent, request } from 'node:http';
import { type Moto, motoPython, startMoto } from '../../lib/local/moto.ts';
import type { Answer, ServiceCall } from './service.ts';

export interface MotoServer extends Moto {
  /** As it came, under the host name that the client used: moto puts that into addresses. */
  forward(call: Pick<ServiceCall, 'method' | 'headers' | 'body'>, target: string): Promise<Answer>;
}

/**
 * Of `RetainExceptOnCreate` it would delete what has it. What a first deploy that fails takes back is not played. What the function of a
 * resource of Trowel's has answered is fetched (custom-resources.ts).
 */
const server = (customResources: string) => `
import json
import urllib.request

from moto.cloudformation.custom_model import CustomModel
from moto.cloudformation.parsing import ResourceMap
from moto.server import main

def delete(self, plain=ResourceMap.delete):
    for value in self._resource_json_map.values():
        if value.get("DeletionPolicy") == "RetainExceptOnCreate":
            value["DeletionPolicy"] = "Retain"
    plain(self)

def create(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
    stack, logical_id = kwargs["StackId"].split("/")[1], kwargs["LogicalId"]
    if not kwargs["ResourceType"].startswith("Custom::Trowel"):
        return plain_create(resource_name, cloudformation_json, account_id, region_name, **kwargs)
    with urllib.request.urlopen(f"${customResources}/{stack}/{logical_id}") as answer:
        said = json.load(answer)
    made = CustomModel(region_name, "", logical_id, said["id"])
    made.set_data(said["data"])
    return made

def update(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
    return original_resource

ResourceMap.delete = delete
plain_create = CustomModel.create_from_cloudformation_json
CustomModel.create_from_cloudformation_json = classmethod(create)
CustomModel.update_from_cloudformation_json = classmethod(update)
main()
`;

/** @param customResources where it asks for what a resource's function has answered */
export async function startMotoServer(customResources = ''): Promise<MotoServer> {
  const python = motoPython();
  if (python === undefined) throw new Error("no Python with moto's server");
  const moto = await startMoto(python, ['-c', server(customResources)]);
  const { hostname, port } = new URL(moto.url);
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  return {
    url: moto.url,
    forward: ({ method, headers, body }, path) =>
      new Promise((resolve, reject) => {
        const { connection: _, 'transfer-encoding': __, ...others } = headers;
        const length = { 'content-length': String(body.length) };
        const sent = request({ hostname, port, agent, method, path, headers: { ...others, ...length } }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 500,
              headers: flat(response.headers, method === 'HEAD'),
              body: Buffer.concat(chunks),
            }),
          );
        });
        sent.on('error', reject);
        sent.end(body);
      }),
    stop: async () => {
      agent.destroy();
      await moto.stop();
    },
  };
}

const HOP = new Set(['connection', 'keep-alive', 'transfer-encoding']);

/** The answer to HEAD alone keeps the length it says: it has no body to be measured. */
function flat(headers: NodeJS.Dict<string | string[]>, head: boolean): { [name: string]: string } {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || HOP.has(name) || (name === 'content-length' && !head)
        ? []
        : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
    ),
  );
}
