import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';

export interface Clients {
  readonly sfn: SFNClient;
  readonly s3: S3Client;
  readonly logs: CloudWatchLogsClient;
  readonly secrets: SecretsManagerClient;
  readonly cloudFormation: CloudFormationClient;
}

export function clientsOf(config: object): Clients & { destroy(): void } {
  const clients = {
    sfn: new SFNClient(config),
    s3: new S3Client(config),
    logs: new CloudWatchLogsClient(config),
    secrets: new SecretsManagerClient(config),
    cloudFormation: new CloudFormationClient(config),
  };
  return {
    ...clients,
    destroy: () => {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}
