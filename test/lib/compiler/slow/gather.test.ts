import { describe, it } from 'vitest';
import { GATHERED, gathers } from '../gather-cases.ts';

describe('what many branches store comes together whole (slow)', () => {
  it.each(GATHERED.filter(({ slow }) => slow))('$name', gathers);
});
