/**
 * The variable by which a container gets a secret from its task definition. Distinct for distinct keys, readable for most: `pg.password` →
 * `TROWEL_SECRET_pg_2Epassword`. A character that is neither letter nor digit becomes `_` and its bytes in hexadecimal.
 */
export function secretVariable(key: string): string {
  const name = key.replace(/[^A-Za-z0-9]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `_${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
  return `TROWEL_SECRET_${name}`;
}
