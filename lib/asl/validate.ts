/**
 * lib/asl: the States Language as data: its types and limits, what is allowed where (fields.ts), and what is wrong with a given machine.
 * validateMachine finds what keeps a machine from being run; lintMachine (lint.ts) also what the service would refuse or what would fail.
 */

import { expressionIn, type Parsed, parseExpression } from './expression.ts';
import { type Fault, type FaultRule, step } from './fault.ts';
import {
  CATCHER_FIELDS,
  CHOICE_RULE_FIELDS,
  type Field,
  JSONPATH_FIELDS,
  MACHINE_FIELDS,
  PROCESSOR_FIELDS,
  RETRIER_FIELDS,
  STATE_FIELDS,
} from './fields.ts';
import { isMapping } from './json.ts';
import type { StateMachine } from './types.ts';

/** Reads a definition's text. */
export function parseMachine(text: string): { readonly machine: StateMachine } | { readonly faults: readonly Fault[] } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    return { faults: [{ rule: 'not-json', path: '', message: `This is no JSON: ${(cause as Error).message}` }] };
  }
  const faults = validateMachine(json);
  return faults.length === 0 ? { machine: json as StateMachine } : { faults };
}

/** All faults of structure: with none, the value is a StateMachine that the engine can run. */
export function validateMachine(json: unknown): Fault[] {
  if (!isMapping(json)) {
    return [{ rule: 'not-a-machine', path: '', message: 'A state machine is an object with StartAt and States' }];
  }
  const validation = new Validation();
  validation.machine(json);
  return validation.faults;
}

type Thing = { readonly [key: string]: unknown };

class Validation {
  readonly faults: Fault[] = [];
  /** The same text is in many states. */
  readonly #parsed = new Map<string, Parsed>();

  #fault(rule: FaultRule, path: string, message: string): void {
    this.faults.push({ rule, path, message });
  }

  machine(machine: Thing): void {
    this.#fields(machine, MACHINE_FIELDS, '');
    const language = machine.QueryLanguage;
    // JSONPath is the default; each state may choose another language.
    if (language !== undefined && language !== 'JSONata' && language !== 'JSONPath') {
      this.#fault('query-language', '/QueryLanguage', `Only JSONata is supported, not ${JSON.stringify(language)}`);
    }
    this.#states(machine, '', language === 'JSONata');
  }

  /** @param jsonata whether states are JSONata without saying so */
  #states(processor: Thing, path: string, jsonata: boolean): void {
    const { StartAt: start, States: states } = processor;
    if (!isMapping(states)) return;
    const names = new Set(Object.keys(states));
    if (typeof start === 'string' && !names.has(start)) {
      this.#fault('unknown-target', `${path}/StartAt`, `There is no state '${start}' here`);
    }
    for (const [name, state] of Object.entries(states)) {
      const at = `${path}/States${step(name)}`;
      if (isMapping(state)) {
        this.#state(state, at, names, jsonata);
      } else {
        this.#fault('bad-value', at, 'A state is an object');
      }
    }
  }

  #state(state: Thing, path: string, names: ReadonlySet<string>, jsonata: boolean): void {
    const { Type: type, QueryLanguage: language = jsonata ? 'JSONata' : undefined } = state;
    if (language !== 'JSONata') {
      this.#fault(
        'query-language',
        `${path}/QueryLanguage`,
        language === undefined
          ? 'This state is JSONPath, the default; only JSONata is supported: set "QueryLanguage": "JSONata" at the top'
          : `Only JSONata is supported, not ${JSON.stringify(language)}`,
      );
      // A state in JSONPath gets one fault, not one for each field.
      return;
    }
    const fields =
      typeof type === 'string' && Object.hasOwn(STATE_FIELDS, type) ? STATE_FIELDS[type as 'Pass'] : undefined;
    if (fields === undefined) {
      const types = Object.keys(STATE_FIELDS).join(', ');
      this.#fault('unknown-state-type', `${path}/Type`, `Expected one of ${types}, got ${JSON.stringify(type)}`);
      return;
    }
    this.#fields(state, fields, path);
    this.#transition(state, path, names);
    for (const field of Object.keys(state)) {
      if (
        field === 'Resource' ||
        field === 'Next' ||
        field === 'Comment' ||
        field === 'Branches' ||
        field === 'ItemProcessor'
      ) {
        continue;
      }
      this.#expressions(state[field], `${path}${step(field)}`);
    }
    if (type === 'Wait' && (state.Seconds === undefined) === (state.Timestamp === undefined)) {
      this.#fault('missing-field', path, 'A Wait has either Seconds or Timestamp');
    }
    this.#each(state.Retry, `${path}/Retry`, (retrier, at) => {
      this.#fields(retrier, RETRIER_FIELDS, at);
      this.#errorEquals(retrier, at);
    });
    this.#each(state.Catch, `${path}/Catch`, (catcher, at) => {
      this.#fields(catcher, CATCHER_FIELDS, at);
      this.#errorEquals(catcher, at);
      this.#target(catcher.Next, `${at}/Next`, names);
    });
    this.#each(state.Choices, `${path}/Choices`, (rule, at) => {
      this.#fields(rule, CHOICE_RULE_FIELDS, at);
      this.#target(rule.Next, `${at}/Next`, names);
    });
    this.#target(state.Default, `${path}/Default`, names);
    this.#each(state.Branches, `${path}/Branches`, (branch, at) => this.#processor(branch, at, jsonata));
    if (isMapping(state.ItemProcessor)) {
      this.#processor(state.ItemProcessor, `${path}/ItemProcessor`, jsonata);
    }
  }

  #processor(processor: Thing, path: string, jsonata: boolean): void {
    this.#fields(processor, PROCESSOR_FIELDS, path);
    const config = processor.ProcessorConfig;
    const mode = isMapping(config) ? config.Mode : undefined;
    if (mode !== undefined && mode !== 'INLINE' && mode !== 'DISTRIBUTED') {
      this.#fault(
        'bad-value',
        `${path}/ProcessorConfig/Mode`,
        `Expected INLINE or DISTRIBUTED, got ${JSON.stringify(mode)}`,
      );
    }
    this.#states(processor, path, jsonata);
  }

  #transition(state: Thing, path: string, names: ReadonlySet<string>): void {
    const type = String(state.Type);
    if (type === 'Choice' || type === 'Succeed' || type === 'Fail') return;
    const ends = state.End === true;
    const next = state.Next;
    if (ends === (next !== undefined)) {
      this.#fault(
        'no-transition',
        path,
        ends ? 'Next and End exclude each other' : 'This state needs a Next, or "End": true',
      );
    }
    this.#target(next, `${path}/Next`, names);
  }

  #target(next: unknown, path: string, names: ReadonlySet<string>): void {
    if (typeof next === 'string' && !names.has(next)) {
      this.#fault('unknown-target', path, `There is no state '${next}' here`);
    }
  }

  #errorEquals(recovery: Thing, path: string): void {
    const names = recovery.ErrorEquals;
    if (Array.isArray(names) && names.some((name) => typeof name !== 'string')) {
      this.#fault('bad-value', `${path}/ErrorEquals`, 'Expected names of errors');
    }
  }

  #each(value: unknown, path: string, visit: (item: Thing, path: string) => void): void {
    for (const [index, item] of (Array.isArray(value) ? value : []).entries()) {
      const at = `${path}${step(index)}`;
      if (isMapping(item)) {
        visit(item, at);
      } else {
        this.#fault('bad-value', at, `Expected an object, got ${JSON.stringify(item)}`);
      }
    }
  }

  #fields(thing: Thing, fields: { readonly [field: string]: Field }, path: string): void {
    for (const [name, field] of Object.entries(fields)) {
      if (field.required && thing[name] === undefined) {
        this.#fault('missing-field', path, `${name} is missing`);
      }
    }
    for (const [name, value] of Object.entries(thing)) {
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
      const at = `${path}${step(name)}`;
      if (value === undefined) {
        // A machine made in memory may hold such a key; its JSON does not.
        continue;
      }
      if (field !== undefined) {
        const expected = field.check?.(value);
        if (expected !== undefined) {
          this.#fault('bad-value', at, `${name}: expected ${expected}, got ${abridged(value)}`);
        }
      } else if (Object.hasOwn(JSONPATH_FIELDS, name)) {
        this.#fault('jsonpath-field', at, `${name} belongs to JSONPath; in JSONata use ${JSONPATH_FIELDS[name]}`);
      } else {
        this.#fault('unknown-field', at, `There is no field ${name} here`);
      }
    }
  }

  #parse(source: string): Parsed {
    const parsed = this.#parsed.get(source) ?? parseExpression(source);
    this.#parsed.set(source, parsed);
    return parsed;
  }

  /** Checks the syntax of every expression in a value. */
  #expressions(value: unknown, path: string): void {
    if (typeof value === 'string') {
      const source = expressionIn(value);
      if (source === undefined && (value.startsWith('{%') || /^[^{]*%\}$/.test(value))) {
        // The service refuses an expression with a missing `{%` or `%}`.
        this.#fault(
          'expression-syntax',
          path,
          `The expression '${abridged(value)}' is not ${value.startsWith('{%') ? 'closed with %}' : 'opened with {%'}`,
        );
      }
      const parsed = source === undefined ? undefined : this.#parse(source);
      if (source !== undefined && parsed !== undefined && 'error' in parsed) {
        const newer = newerOperator(source);
        this.#fault(
          newer === undefined ? 'expression-syntax' : 'newer-syntax',
          path,
          newer === undefined
            ? `The expression '${abridged(source.trim())}' cannot be parsed: ${parsed.error}`
            : `Step Functions' JSONata (2.0.6) has no operator ${newer}: use \`$exists(a) ? a : b\``,
        );
      }
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        this.#expressions(item, `${path}${step(key)}`);
      }
    }
  }
}

/** The operators of later versions, outside of texts and names in quotes. */
function newerOperator(source: string): string | undefined {
  const bare = source.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|\/\*[\s\S]*?\*\//g, '""');
  return /\?:|\?\?/.exec(bare)?.[0];
}

function abridged(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}
