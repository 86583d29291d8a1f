/** Findings of cdk-nag's AwsSolutions pack that are meant to be so, each with its reason. */
import type { IConstruct } from 'constructs';
import { cdk } from './cdk.ts';

const REASONS: readonly (readonly [id: string, reason: string])[] = [];

export function acknowledge(scope: IConstruct): void {
  cdk.Validations.of(scope).acknowledge(...REASONS.map(([id, reason]) => ({ id, reason })));
}
