import { expressionIn, parseExpression } from './expression.ts';
import { type Fault, type FaultRule, step } from './fault.ts';
import { DISTRIBUTED_FIELDS } from './fields.ts';
import { type Known, knownAtStates } from './flow.ts';
import { FUNCTIONS } from './functions.ts';
import { assignsOf, reachable, type Scope, scopesOf } from './graph.ts';
import { integrationFault } from './integrations.ts';
import { LIMITS } from './limits.ts';
import { type References, referencesOf } from './references.ts';
import type { Catcher, Json, Retrier, State, StateMachine } from './types.ts';
import { validateMachine } from './validate.ts';

/**
 * Everything that is wrong with a machine: its structure (validateMachine), and, if that is sound, faults that validators of the States
 * Language miss, but on which the service refuses the machine or a run fails: unknown functions, variables read before they are assigned,
 * branches that assign variables of an outer scope, tokens that are never passed on …
 */
export function lintMachine(json: unknown): Fault[] {
  const faults = validateMachine(json);
  return faults.length > 0 ? faults : new Linter(json as StateMachine).run();
}

/** What `$states` holds at a place, besides input and context, which it always holds. */
type Place = 'plain' | 'result' | 'errorOutput';

class Linter {
  readonly #machine: StateMachine;
  readonly #faults: Fault[] = [];
  /** The same text is in many states. */
  readonly #parsed = new Map<string, References | undefined>();
  readonly #scopes: readonly Scope[];
  /** Variables that a scope's states assign. */
  readonly #assigned = new Map<Scope, Set<string>>();
  readonly #known = new Map<Scope, Map<string, Known>>();

  constructor(machine: StateMachine) {
    this.#machine = machine;
    this.#scopes = scopesOf(machine);
  }

  run(): Fault[] {
    const bytes = Buffer.byteLength(JSON.stringify(this.#machine));
    if (bytes > LIMITS.definitionBytes) {
      this.#fault('too-large', '', `The definition takes ${bytes} bytes; the limit is ${LIMITS.definitionBytes}`);
    }
    for (const scope of this.#scopes) {
      const states = Object.values(scope.processor.States);
      this.#assigned.set(scope, new Set(states.flatMap(assignsOf).flatMap(({ assign }) => Object.keys(assign))));
    }
    const places = new Map<string, string>();
    for (const scope of this.#scopes) {
      this.#scope(scope, places);
    }
    return this.#faults;
  }

  #fault(rule: FaultRule, path: string, message: string): void {
    this.#faults.push({ rule, path, message });
  }

  #scope(scope: Scope, places: Map<string, string>): void {
    const { outer } = scope;
    const around = outer === undefined || scope.detached ? undefined : this.#known.get(outer.scope)?.get(outer.state);
    const known = knownAtStates(scope, around);
    this.#known.set(scope, known);
    const reached = reachable(scope.processor);
    let ends = false;
    for (const [name, state] of Object.entries(scope.processor.States)) {
      const path = `${scope.path}/States${step(name)}`;
      this.#name(name, path, places);
      if (!reached.has(name)) {
        this.#fault('unreachable-state', path, `No state leads to '${name}'`);
      }
      ends ||= reached.has(name) && isTerminal(state);
      this.#state(scope, state, path, known.get(name));
    }
    if (!ends) {
      this.#fault('no-terminal-state', `${scope.path}/States`, 'No state that can be reached ends this');
    }
  }

  #name(name: string, path: string, places: Map<string, string>): void {
    if (name.length > LIMITS.stateNameChars) {
      this.#fault(
        'name-too-long',
        path,
        `A state's name has at most ${LIMITS.stateNameChars} characters, this ${name.length}`,
      );
    }
    const first = places.get(name);
    if (first !== undefined) {
      this.#fault('duplicate-name', path, `The name '${name}' is taken by the state at ${first}`);
    }
    places.set(name, first ?? path);
  }

  #state(scope: Scope, state: State, path: string, known: Known | undefined): void {
    const check = (value: Json | undefined, field: string, place: Place, iteration = scope.iteration) => {
      this.#value(value, `${path}${field}`, { scope, state, known, place, iteration });
    };
    switch (state.Type) {
      case 'Task':
        check(state.Arguments, '/Arguments', 'plain');
        check(state.Credentials, '/Credentials', 'plain');
        check(state.TimeoutSeconds, '/TimeoutSeconds', 'plain');
        check(state.HeartbeatSeconds, '/HeartbeatSeconds', 'plain');
        this.#task(state, path);
        break;
      case 'Wait':
        check(state.Seconds, '/Seconds', 'plain');
        check(state.Timestamp, '/Timestamp', 'plain');
        break;
      case 'Fail':
        check(state.Error, '/Error', 'plain');
        check(state.Cause, '/Cause', 'plain');
        break;
      case 'Parallel':
        check(state.Arguments, '/Arguments', 'plain');
        break;
      case 'Choice':
        for (const [index, rule] of state.Choices.entries()) {
          const at = `/Choices${step(index)}`;
          check(rule.Condition, `${at}/Condition`, 'plain');
          check(rule.Output, `${at}/Output`, 'plain');
          check(rule.Assign, `${at}/Assign`, 'plain');
        }
        break;
      case 'Map':
        for (const field of ['Items', 'MaxConcurrency', 'ItemBatcher', 'ItemReader', 'ResultWriter'] as const) {
          check(state[field] as Json | undefined, `/${field}`, 'plain');
        }
        check(state.ToleratedFailureCount, '/ToleratedFailureCount', 'plain');
        check(state.ToleratedFailurePercentage, '/ToleratedFailurePercentage', 'plain');
        check(state.ItemSelector, '/ItemSelector', 'plain', true);
        for (const field of DISTRIBUTED_FIELDS) {
          if (state[field] !== undefined && state.ItemProcessor.ProcessorConfig?.Mode !== 'DISTRIBUTED') {
            this.#fault('distributed-only', `${path}/${field}`, `${field} needs a Map in DISTRIBUTED mode`);
          }
        }
        break;
    }
    const exit: Place = state.Type === 'Task' || state.Type === 'Parallel' || state.Type === 'Map' ? 'result' : 'plain';
    check('Output' in state ? state.Output : undefined, '/Output', exit);
    check('Assign' in state ? state.Assign : undefined, '/Assign', exit);
    if ('Catch' in state || 'Retry' in state) {
      this.#statesAll(state.Retry, `${path}/Retry`);
      this.#statesAll(state.Catch, `${path}/Catch`);
      for (const [index, catcher] of (state.Catch ?? []).entries()) {
        check(catcher.Output, `/Catch${step(index)}/Output`, 'errorOutput');
        check(catcher.Assign, `/Catch${step(index)}/Assign`, 'errorOutput');
      }
    }
    for (const { assign, path: at } of assignsOf(state)) {
      this.#assignments(scope, Object.keys(assign), `${path}${at}`);
    }
  }

  #task(state: Extract<State, { Type: 'Task' }>, path: string): void {
    const { TimeoutSeconds: timeout, HeartbeatSeconds: heartbeat } = state;
    const unknown = integrationFault(state.Resource);
    if (unknown !== undefined) this.#fault('unknown-integration', `${path}/Resource`, unknown);
    if (typeof timeout === 'number' && typeof heartbeat === 'number' && heartbeat >= timeout) {
      this.#fault(
        'heartbeat-over-timeout',
        `${path}/HeartbeatSeconds`,
        `HeartbeatSeconds (${heartbeat}) must be smaller than TimeoutSeconds (${timeout})`,
      );
    }
    if (state.Resource.endsWith('.waitForTaskToken')) {
      const token = 'context.Task.Token';
      const reads = this.#statesIn(state.Arguments);
      // $states.context as a whole holds the token too.
      if (![...reads].some((read) => read === '' || token === read || token.startsWith(`${read}.`))) {
        this.#fault(
          'no-token',
          `${path}/Arguments`,
          'The task waits for its token, but the Arguments do not hand out $states.context.Task.Token',
        );
      }
    }
  }

  #statesIn(value: Json | undefined): Set<string> {
    const found = new Set<string>();
    eachText(value, '', (text) => {
      for (const path of this.#references(text)?.states ?? []) {
        found.add(path);
      }
    });
    return found;
  }

  #statesAll(recovery: readonly (Retrier | Catcher)[] | undefined, path: string): void {
    for (const [index, { ErrorEquals: names }] of (recovery ?? []).entries()) {
      if (!names.includes('States.ALL')) continue;
      const at = `${path}${step(index)}/ErrorEquals`;
      if (names.length > 1) this.#fault('states-all', at, 'States.ALL must stand alone');
      if (index < (recovery ?? []).length - 1) this.#fault('states-all', at, 'States.ALL must come last');
    }
  }

  #assignments(scope: Scope, names: readonly string[], path: string): void {
    const { outer } = scope;
    const readable = outer === undefined ? undefined : this.#known.get(outer.scope)?.get(outer.state)?.possibly;
    for (const name of names) {
      const at = `${path}${step(name)}`;
      if (name === 'states' || !/^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(name) || name.length > 80) {
        this.#fault(
          'variable-name',
          at,
          name === 'states' ? 'The name $states is reserved' : `'${name}' is no name for a variable`,
        );
      }
      for (const around of enclosing(scope)) {
        if (this.#assigned.get(around)?.has(name)) {
          // If the scope around assigns the name only later, the service accepts it here.
          if (readable?.has(name)) {
            this.#fault('outer-assignment', at, `$${name} belongs to the scope around this and can only be read here`);
          }
          break;
        }
      }
    }
  }

  #value(value: Json | undefined, path: string, at: At): void {
    eachText(value, path, (text, where) => {
      const references = this.#references(text);
      if (references !== undefined) this.#expression(references, where, at);
    });
  }

  #references(text: string): References | undefined {
    if (!this.#parsed.has(text)) {
      const source = expressionIn(text);
      const parsed = source === undefined ? undefined : parseExpression(source);
      this.#parsed.set(text, parsed !== undefined && 'ast' in parsed ? referencesOf(parsed.ast) : undefined);
    }
    return this.#parsed.get(text);
  }

  #expression(references: References, path: string, at: At): void {
    if (references.usesEval) this.#fault('eval', path, 'Step Functions has no $eval: use $parse for JSON text');
    for (const name of references.unknownFunctions) {
      const hint = name.startsWith('$') ? '' : `; functions are called as $${name}(…)`;
      this.#fault('unknown-function', path, `There is no function ${name}${hint}`);
    }
    for (const name of references.bareNames) {
      this.#fault('bare-name', path, `'${name}' has nothing to refer to here: begin with $states.input or a variable`);
    }
    for (const read of references.states) {
      const fault = statesFault(read, at);
      if (fault !== undefined) this.#fault('states-field', path, fault);
    }
    if (references.depth > LIMITS.jsonataDepth) {
      this.#fault(
        'too-deep',
        path,
        `The expression takes ${references.depth} frames; the limit is ${LIMITS.jsonataDepth} (join long texts with $join)`,
      );
    }
    for (const name of references.variables) {
      if (!FUNCTIONS.has(name) || this.#isVisible(name, at.scope)) {
        this.#variable(name, references.guarded.has(name), path, at);
      }
    }
    for (const name of references.functions) {
      if (at.known?.possibly.has(name)) {
        this.#fault('unknown-function', path, `$${name} is a variable here, which hides the function of that name`);
      }
    }
  }

  /** Whether any state assigns it in this scope or one around it. */
  #isVisible(name: string, scope: Scope): boolean {
    return [scope, ...enclosing(scope)].some((around) => this.#assigned.get(around)?.has(name));
  }

  #variable(name: string, guarded: boolean, path: string, { scope, known }: At): void {
    // A state that cannot be reached gets another fault.
    if (known === undefined || known.surely.has(name)) return;
    if (known.possibly.has(name)) {
      if (!guarded) {
        this.#fault('unassigned-variable', path, `$${name} is not assigned on every way to this state`);
      }
      return;
    }
    if (this.#isVisible(name, scope)) {
      if (!guarded) {
        this.#fault('unassigned-variable', path, `$${name} is not assigned on any way to this state`);
      }
    } else if ([...this.#assigned.values()].some((names) => names.has(name))) {
      this.#fault('out-of-scope-variable', path, `$${name} belongs to another branch, iteration or execution`);
    } else {
      this.#fault('undefined-variable', path, `No state assigns $${name}`);
    }
  }
}

interface At {
  readonly scope: Scope;
  readonly state: State;
  readonly known: Known | undefined;
  readonly place: Place;
  readonly iteration: boolean;
}

/** The scopes around one whose variables it can see, nearest first. */
function enclosing(scope: Scope): Scope[] {
  const found: Scope[] = [];
  for (let at = scope; at.outer !== undefined && !at.detached; at = at.outer.scope) {
    found.push(at.outer.scope);
  }
  return found;
}

function isTerminal(state: State): boolean {
  return state.Type === 'Succeed' || state.Type === 'Fail' || ('End' in state && state.End === true);
}

/** @param read a path below `$states` */
function statesFault(read: string, { state, place, iteration }: At): string | undefined {
  const [field = '', part] = read.split('.');
  switch (field) {
    case '':
    case 'input':
      return undefined;
    case 'result':
      return place === 'result'
        ? undefined
        : '$states.result is there only in Assign and Output of a Task, Parallel or Map';
    case 'errorOutput':
      return place === 'errorOutput' ? undefined : '$states.errorOutput is there only in Assign and Output of a Catch';
    case 'context':
      if (part === 'Map' && !iteration) {
        return '$states.context.Map is there only in an ItemSelector and inside the iterations of a Map';
      }
      if (part === 'Task' && !(state.Type === 'Task' && /\.(waitForTaskToken|sync(:2)?)$/.test(state.Resource))) {
        return '$states.context.Task is there only in a Task that waits for its token or for a job';
      }
      return part === undefined || ['Execution', 'State', 'StateMachine', 'Task', 'Map'].includes(part)
        ? undefined
        : `$states.context has no ${part}`;
    default:
      return `$states has no ${field}`;
  }
}

function eachText(value: Json | undefined, path: string, visit: (text: string, path: string) => void): void {
  if (typeof value === 'string') {
    visit(value, path);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      eachText(item, `${path}${step(key)}`, visit);
    }
  }
}
