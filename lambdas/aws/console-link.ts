/** An execution in the console. */
export function consoleLink(arn: string): string {
  const region = arn.split(':')[3] ?? '';
  const host = region.startsWith('cn-') ? 'console.amazonaws.cn' : `${region}.console.aws.amazon.com`;
  return `https://${host}/states/home?region=${region}#/v2/executions/details/${arn}`;
}
