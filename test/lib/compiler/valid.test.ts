/** Covers lib/compiler/compile.ts, lib/asl/lint.ts, lib/asl/validate.ts. */
import { expect, it } from 'vitest';
import { lintMachine } from '../../../lib/asl/lint.ts';
import type { StateMachine } from '../../../lib/asl/types.ts';
import { CASES } from './cases.ts';
import { compiledText } from './play.ts';
import { faultsOf } from './validate-all.ts';

it('every compiled machine is valid', () => {
  const machines = CASES.flatMap(({ dig, others }) => {
    const { machine, nested } = compiledText(dig, others);
    return [machine, ...Object.values(nested)];
  });
  expect(machines.flatMap((machine) => lintMachine(machine))).toEqual([]);
  expect(faultsOf(machines)).toBe('');
  const broken = { ...machines[0], StartAt: 'Nowhere' } as StateMachine;
  expect(faultsOf([broken])).toContain('Nowhere');
});
