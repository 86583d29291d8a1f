import { expect, it } from 'vitest';
import { pytest } from '../pytest.ts';

it("passes the Python runner's own tests of many seconds", { timeout: 900_000 }, () => {
  const { status, stdout, stderr } = pytest('slow');
  expect(status, stdout + stderr).toBe(0);
});
