/** `arn:PARTITION:states:REGION:ACCOUNT:execution:MACHINE:NAME` and `…:stateMachine:MACHINE`. */

function part(arn: string, index: number): string {
  return arn.split(':')[index] ?? '';
}

/** Of a machine's or an execution's ARN. */
export function machineName(arn: string): string {
  return part(arn, 6);
}

export function executionName(executionArn: string): string {
  return part(executionArn, 7);
}

export function executionArn(machineArn: string, name: string): string {
  return `${machineArn.replace(':stateMachine:', ':execution:')}:${name}`;
}

export function machineArnOf(executionArn: string): string {
  return executionArn.split(':').slice(0, 7).join(':').replace(':execution:', ':stateMachine:');
}

/** What StartExecution takes as a name. DescribeExecution refuses the ARN of any other, in place of saying that there is none. */
export function isExecutionName(text: string): boolean {
  return /^[^\s\p{Cc}<>{}[\]?*"#%\\^|~`$&,;:/]{1,80}$/u.test(text);
}

export function isExecutionArn(text: string): boolean {
  return /^arn:[\w-]+:states:[\w-]+:\d+:execution:[^:]+:[^:]+$/.test(text);
}
