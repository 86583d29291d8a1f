import { expect, it } from 'vitest';
import { pytest } from './pytest.ts';

it("passes the Python runner's own tests", { timeout: 900_000 }, () => {
  const { status, stdout, stderr } = pytest('not slow');
  expect(status, stdout + stderr).toBe(0);
});
