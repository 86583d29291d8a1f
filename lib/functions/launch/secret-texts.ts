/** The secrets of a container task: the texts that ask for one, by their place in the workflow, and the keys under which they are kept. */

import { present } from '../../asl/present.ts';
import type { Piece, SecretTexts } from '../../contract/assignment.ts';
import { ERRORS, TrowelError } from '../../contract/errors.ts';
import type { LaunchPayload } from '../../contract/payload.ts';
import { mountedKey, secretPlaces } from '../../contract/secret-keys.ts';
import { type Asked, type Marks, UnknownWord } from '../../expression/marks.ts';
import type { Mapping } from '../../language/workflow.ts';
import { notListed } from '../http/secrets.ts';

/** The task's own keys with `${secret:…}` marked where it is replaced. Keys that no file of the project wrote get no marks. */
export function withMarks(payload: LaunchPayload, marks: Marks): Mapping {
  const { k, op, b } = payload;
  if (b.attempt.authored !== undefined) return k;
  const places = secretPlaces(op).filter((place) => Object.hasOwn(k, place));
  return { ...k, ...Object.fromEntries(places.map((place) => [place, marks.secrets(k[place] ?? null)])) };
}

export interface Secrets {
  readonly texts: SecretTexts;
  /** As stored. */
  readonly keys: readonly string[];
}

/**
 * @param env the variables of `_env`, and `script` the text of an sh>, with marks
 * @param computable whether an expression may name the secret
 * @throws TrowelError Trowel.Secret, Trowel.TaskFailed
 */
export function secretsIn(
  { env, script }: { readonly env: { readonly [name: string]: string }; readonly script: string | undefined },
  { marks, payload, mounts }: { readonly marks: Marks; readonly payload: LaunchPayload; readonly mounts: Mapping },
  computable: (key: string) => boolean = () => true,
): Secrets {
  const keys = new Set<string>();
  const remounted = JSON.stringify(payload.k._secrets ?? null).includes('${');
  const stored = ({ key, computed }: Asked): string => {
    const mounted = mountedKey(key, mounts);
    if ((computed || (remounted && mounted !== key)) && !computable(mounted)) {
      throw new TrowelError(ERRORS.secret, notListed(mounted));
    }
    keys.add(mounted);
    return mounted;
  };
  const pieces = (text: string): readonly Piece[] =>
    read(marks, text).map((piece) => (typeof piece === 'string' ? piece : ([stored(piece)] as const)));
  const texts: SecretTexts = {
    env: Object.fromEntries(
      Object.entries(env).flatMap(([name, text]) => (marks.asks(text) ? [[name, pieces(text)]] : [])),
    ),
    ...present({ script: script !== undefined && marks.asks(script) ? pieces(script) : undefined }),
  };
  return { texts, keys: [...keys] };
}

function read(marks: Marks, text: string): (string | Asked)[] {
  try {
    return marks.pieces(text);
  } catch (error) {
    if (error instanceof UnknownWord) throw new TrowelError(ERRORS.taskFailed, error.message);
    throw error;
  }
}
