/** Host of AWS's console; China's is another. */
export function consoleHost(region: string): string {
  return region.startsWith('cn-') ? 'console.amazonaws.cn' : `${region}.console.aws.amazon.com`;
}

/** An execution in the console. */
export function consoleLink(arn: string): string {
  const region = arn.split(':')[3] ?? '';
  return `https://${consoleHost(region)}/states/home?region=${region}#/v2/executions/details/${arn}`;
}
