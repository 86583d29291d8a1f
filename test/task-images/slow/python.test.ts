import { expect, it } from 'vitest';
import { pytest } from '../pytest.ts';

it("passes the Python runner's own tests of many seconds, and those with generated examples over many of them", {
  timeout: 900_000,
}, () => {
  const { status, stdout, stderr } = pytest('slow or hypothesis', ['--hypothesis-profile', 'thorough']);
  expect(status, stdout + stderr).toBe(0);
});
