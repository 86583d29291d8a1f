import { describe, expect, it } from 'vitest';
import { parseParams } from '../../../../lib/cli/actions/given-params.ts';
import type { Mapping } from '../../../../lib/language/workflow.ts';

describe('parseParams', () => {
  it.each<[string[], Mapping]>([
    [['a=1'], { a: '1' }],
    [['a=b=c', 'empty='], { a: 'b=c', empty: '' }],
    [['db.host=x', 'db.port=5'], { db: { host: 'x', port: '5' } }],
    [['a=1', 'a.b=2'], { a: { b: '2' } }],
    [['a.b=2', 'a=1'], { a: '1' }],
    [['width=${height * 2}'], { width: '${height * 2}' }],
  ])('reads %j', (entries, params) => {
    expect(parseParams(entries)).toEqual(params);
  });

  it.each(['novalue', '=x', 'a..b=1', '.a=1'])('refuses %s', (entry) => {
    expect(() => parseParams([entry])).toThrow(expect.objectContaining({ kind: 'usage' }));
  });

  it('takes __proto__ for a name', () => {
    expect(Object.keys(parseParams(['__proto__.x=1']))).toEqual(['__proto__']);
    expect(({} as { x?: string }).x).toBeUndefined();
  });
});
