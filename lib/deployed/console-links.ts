/** An execution in AWS's console. */
export function executionLink(arn: string, region: string): string {
  const host = arn.startsWith('arn:aws-cn:') ? 'console.amazonaws.cn' : `${region}.console.aws.amazon.com`;
  return `https://${host}/states/home?region=${region}#/v2/executions/details/${arn}`;
}
