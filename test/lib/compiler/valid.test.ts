import aslValidator from 'asl-validator';
import { describe, expect, it } from 'vitest';
import { lintMachine } from '../../../lib/asl/lint.ts';
import type { StateMachine } from '../../../lib/asl/types.ts';
import type { Compiled } from '../../../lib/compiler/compile.ts';
import { CASES } from './cases.ts';
import { compiledText } from './play.ts';

function machinesOf(compiled: Compiled): StateMachine[] {
  return [compiled.machine, ...Object.values(compiled.nested)];
}

describe('every compiled machine is valid', () => {
  it.each(CASES)('$name', ({ dig, others }) => {
    for (const machine of machinesOf(compiledText(dig, others))) {
      expect(lintMachine(machine)).toEqual([]);
      const { isValid, errorsText } = aslValidator(machine);
      expect(isValid, errorsText('\n')).toBe(true);
    }
  });
});
