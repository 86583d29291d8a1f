"""Tasks made at run time by digdag.env.add_subtask: a group `^sub` below the task, run when its function has returned.

Rules are the compiler's (docs/compiling.md): names, layers, `_export`, `_env`, `_parallel`, `_background`, `_after`,
`_retry`, `_check`, `_error`, `_disable`. Here is the order of things; processes and messages are the worker's, reached by effects.
"""

from __future__ import annotations

import re

from trowel_task import PROTOCOL
from trowel_task.contract.assignment import words
from trowel_task.contract.errors import BAD_INPUT, FAILED, TIMEOUT, TaskError, did_you_mean
from trowel_task.contract.merge import deep_merge
from trowel_task.contract.operators import DEFAULTS, RUNS
from trowel_task.store import values
from trowel_task.subtasks import scopes
from trowel_task.subtasks.routines import Spawn, Wait
from trowel_task.task import shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trowel_task.contract.assignment import Assignment
    from trowel_task.subtasks.routines import Routine, Steps
    from trowel_task.subtasks.scopes import Scope

_GROUP_KEYS = {
    "_after", "_background", "_check", "_disable", "_env", "_error", "_export", "_parallel", "_retry", "_secrets",
}  # fmt: skip
# Keys of a task that its operator does not see.
_LEVEL_KEYS = {"_after", "_background", "_check", "_disable", "_env", "_error", "_export", "_retry", "_timeout"}
# digdag's Durations.PATTERN, with ASCII's digits and white space.
_DURATION = re.compile(
    r"\s*(?=\d)(?:(\d{1,9})\s*d)?\s*(?:(\d{1,9})\s*h)?\s*(?:(\d{1,9})\s*m)?\s*(?:(\d{1,9})\s*s)?\s*", re.ASCII | re.IGNORECASE
)
_WHOLE_SECONDS = re.compile(r"\s*\d{1,9}\s*", re.ASCII)
# Characters of a duration, and the largest number that is exact in JavaScript.
_LONGEST = 64
_LARGEST = 2**53 - 1


class Run:
    """Effect: a py> or sh> task in a separate process. The answer is what it has done (ran.Ran as JSON)."""

    def __init__(self, assignment: Assignment, timeout: float | None) -> None:
        self.assignment = assignment
        self.timeout = timeout


class Call:
    """Effect: asks the host. Answered with its `ok`."""

    def __init__(self, fn: str, payload: dict[str, Any]) -> None:
        self.fn = fn
        self.payload = payload


class Sleep:
    """Effect."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class Log:
    """Effect: output of a subtask that has no process."""

    def __init__(self, task: str, text: str) -> None:
        self.task = task
        self.text = text


class Event:
    """Effect: started, succeeded or failed."""

    def __init__(self, task: str, state: str, operator: str, error: TaskError | None = None) -> None:
        self.task = task
        self.state = state
        self.operator = operator
        self.error = error


class Retry:
    __slots__ = ("exponential", "interval", "limit", "most")

    def __init__(self, value: Any) -> None:
        """Raises TaskError for anything but a number or a mapping with `limit`."""
        options = value if isinstance(value, dict) else {"limit": value}
        try:
            self.limit = max(int(options.get("limit") or 0), 0)
            self.interval = 0 if options.get("interval") is None else seconds(options["interval"])
            self.most = float("inf") if options.get("max_interval") is None else seconds(options["max_interval"])
        except (TypeError, ValueError):
            raise TaskError(BAD_INPUT, f"Invalid _retry: {value!r}") from None
        self.exponential = options.get("interval_type") == "exponential"

    def pause(self, tries: int) -> float:
        return min(self.interval * (2**tries if self.exponential else 1), self.most)


def seconds(value: Any) -> int:
    """Of `30`, `"30"`, `"30s"`, `"1h 30m"`. ValueError for anything else: one rule with lib/language/duration.ts."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST:
        return value
    if isinstance(value, str) and len(value) <= _LONGEST:
        if _WHOLE_SECONDS.fullmatch(value):
            return int(value)
        match = _DURATION.fullmatch(value)
        if match:
            days, hours, minutes, rest = (int(count or 0) for count in match.groups())
            return ((days * 24 + hours) * 60 + minutes) * 60 + rest
    raise ValueError(value)


def _timeout(value: Any) -> int | None:
    """Seconds that a subtask may take; None for as long as the whole task may."""
    try:
        limit = None if value is None else seconds(value)
    except ValueError:
        limit = 0
    if limit == 0:
        raise TaskError(BAD_INPUT, f"Invalid _timeout: {value!r}")
    return limit


class Subtasks:
    """The subtasks of one task. Every generator returns (what was stored, the failure or None)."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        builtins = assignment.builtins
        self._builtins = builtins if "vars" in builtins else {"vars": builtins, "attempt": {"root": assignment.root or "", "workflow": ""}}

    def run(self, ran: dict[str, Any]) -> Steps:
        scope = scopes.Scope([*scopes.outermost(self._assignment), [ran["export"], 0], ran["store"]], {})
        return (yield from self._level(ran["subtasks"], self._assignment.task + "^sub", scope))

    # One level: a group or a task, with everything that both may have.

    def _level(self, config: Any, name: str, scope: Scope) -> Steps:
        try:
            is_task = check_node(config, name)
        except TaskError as error:
            return {}, error
        if config.get("_disable") in (True, "true"):
            return {}, None
        inner = scope.level(config)
        try:
            retry = Retry((yield from self._retry(config, name, inner, is_task)))
        except TaskError as error:
            return {}, error
        lost: dict[str, Any] = {}  # stored by failed tries: what follows sees it, the next try does not
        tries = 0
        while True:
            one = self._task(config, name, inner) if is_task else self._group(config, name, inner.group_env(config))
            stored, failed = yield from one
            if failed is None or tries >= retry.limit or (is_task and failed.name not in (FAILED, TIMEOUT)):
                break
            lost = deep_merge(lost, stored)
            yield Sleep(retry.pause(tries))
            tries += 1
        stored = deep_merge(lost, stored)
        if failed is not None and config.get("_error"):
            handled = yield from self._handler(config["_error"], name, inner, stored, failed, is_task)
            stored = deep_merge(stored, handled)
        return stored, failed

    def _retry(self, config: dict[str, Any], name: str, scope: Scope, is_task: bool) -> Steps:
        value = config.get("_retry")
        if scopes.pending(scopes.mark(value)) is None:
            return value
        if not is_task:
            yield Log(name, f"{name}: _retry of a group takes no ${{…}}; it is ignored\n")
            return None
        rendered, _ = yield from self._evaluate({"_retry": value}, name, scope, {})
        return rendered.get("_retry")

    def _handler(self, handler: Any, name: str, inner: Scope, stored: dict[str, Any], error: TaskError, is_task: bool) -> Steps:
        """`_error`. A group handler's own `_export` is weaker than what the group stored, a task handler's is stronger."""
        seen = [{"error": {"message": error.message, "stacktrace": error.stacktrace or "", "task": error.task or name}}, 0]
        if is_task or not isinstance(handler, dict):
            scope = inner.inside(stored, seen)
        else:
            scope = inner.level(handler).inside(stored, seen)
            handler = {key: value for key, value in handler.items() if key != "_export"}
        made, _ = yield from self._level(handler, name + "^error", scope)
        return made

    # A group.

    def _group(self, config: dict[str, Any], name: str, scope: Scope) -> Steps:
        children = [(key, child) for key, child in config.items() if key.startswith("+")]
        try:
            upstream = order(config, children, name)
        except TaskError as error:
            return {}, error
        waiting = dict(enumerate(children))
        running: dict[Routine, int] = {}
        done: dict[int, tuple[dict[str, Any], TaskError | None]] = {}
        while True:
            for at, (key, child) in list(waiting.items()):
                if all(u in done and done[u][1] is None for u in upstream[at]):
                    del waiting[at]
                    before = deep_merge(*(done[u][0] for u in sorted(closure(at, upstream))))
                    running[(yield Spawn(self._level(child, name + key, scope.inside(before))))] = at
            if not running:
                break
            for routine in (yield Wait(list(running))):
                at = running.pop(routine)
                done[at] = ({}, routine.error) if routine.error else routine.value
        failures = [done[at][1] for at in sorted(done) if done[at][1] is not None]
        return deep_merge(*(done[at][0] for at in sorted(done))), (failures[-1] if failures else None)

    # A task.

    def _task(self, config: dict[str, Any], name: str, scope: Scope) -> Steps:
        operator = operator_of(config)
        yield Event(name, "started", operator)
        try:
            stored, ran = yield from self._operate(operator, config, name, scope)
        except TaskError as error:
            error.task = error.task or name
            yield Event(name, "failed", operator, error)
            return {}, error
        yield Event(name, "succeeded", operator)
        if ran and ran["subtasks"]:
            below = scope.inside([ran["export"], 0], stored)
            made, failed = yield from self._level(ran["subtasks"], name + "^sub", below)
            stored = deep_merge(stored, made)
            if failed is not None:
                return stored, failed
        if config.get("_check"):
            made, failed = yield from self._level(config["_check"], name + "^check", scope.inside(stored))
            return deep_merge(stored, made), failed
        return stored, None

    def _operate(self, operator: str, config: dict[str, Any], name: str, scope: Scope) -> Steps:
        own = {key: value for key, value in config.items() if key not in _LEVEL_KEYS}
        env = scope.group_env(config).env
        if operator not in RUNS:
            keys = {**own, "_env": env} if env else own
            answer = yield Call("run", self._payload(name, scope, keys, operator))
            stored = answer.get("stored") if isinstance(answer, dict) else None
            return (stored if isinstance(stored, dict) else {}), None
        params, keys = yield from self._params(own, operator, name, scope, env)
        command = params.get("_command")
        if RUNS[operator] == "print":
            yield Log(name, shell.text_of(command) + "\n")
            return {}, None
        if RUNS[operator] == "failure":
            raise TaskError(FAILED, shell.text_of(command))
        defaults = params.get(DEFAULTS[operator])
        defaults = defaults if isinstance(defaults, dict) else {}
        own_env = params.get("_env") or {}
        work = self._assignment.derived(
            task=name,
            operator=operator,
            params={key: value for key, value in params.items() if key != "_env"},
            keys=keys,
            env={**self._assignment.env, **own_env},
            secret_texts=self._secret_texts(own_env),
            python=words(params.get("python", defaults.get("python"))) if RUNS[operator] == "python" else None,
            result=None,
        )
        limit = _timeout(config.get("_timeout"))
        ran = yield Run(work, limit)
        return ran["store"], ran

    def _secret_texts(self, env: dict[str, Any]) -> dict[str, Any] | None:
        """Of the task's own `_env`: what Python adds is data, and asks for no secret."""
        texts = self._assignment.secret_texts
        if texts is None:
            return None
        return {"env": {name: pieces for name, pieces in texts.get("env", {}).items() if name not in env}}

    def _params(self, own: dict[str, Any], operator: str, name: str, scope: Scope, env: dict[str, Any]) -> Steps:
        """Everything the task sees, and the names of its own keys."""
        rendered, seen = yield from self._evaluate({**own, **({"_env": env} if env else {})}, name, scope, own)
        sugar = operator + ">"
        rendered["_type"] = operator
        if "_command" not in rendered and sugar in rendered:
            rendered["_command"] = rendered[sugar]
        elif sugar in own:
            rendered.setdefault(sugar, rendered["_command"])
        params = deep_merge(seen, self._builtins["vars"], {"task_name": name}, rendered)
        return params, [key for key in own if key in params]

    def _evaluate(self, keys: dict[str, Any], name: str, scope: Scope, own: dict[str, Any]) -> Steps:
        """(own keys rendered, what is visible around rendered). Asks the host only if there is something to evaluate."""
        seen = values.opened(scope.visible(), self._assignment.roots())
        around = {key: part for key, value in seen.items() if key not in own and (part := scopes.pending(value)) is not None}
        if not around and scopes.pending(scopes.mark(keys)) is None:
            return dict(keys), seen
        answer = yield Call("evaluate", self._payload(name, scope, {**around, **keys}, "keys"))
        rendered = answer.get("k") if isinstance(answer, dict) else None
        if not isinstance(rendered, dict):
            raise TaskError(FAILED, f"the host's answer to 'evaluate' has no 'k' ({name})")
        outer = {key: rendered[key] for key in around if key in rendered}
        mine = {key: value for key, value in rendered.items() if key not in around or key in keys}
        return mine, deep_merge(seen, outer)

    def _payload(self, name: str, scope: Scope, keys: dict[str, Any], operator: str) -> dict[str, Any]:
        layers = [layer for layer in scope.layers if layer]
        attempt = self._builtins.get("attempt") or {}
        authored = sum(1 for layer in scopes.outermost(self._assignment) if layer)
        builtins = {**self._builtins, "attempt": {**attempt, "authored": min(authored, attempt.get("authored", authored))}}
        return {"v": PROTOCOL, "t": name, "l": layers, "b": builtins, "k": keys, "op": operator}


def operator_of(config: dict[str, Any]) -> str:
    for key in config:
        if key.endswith(">"):
            return key[:-1]
    return str(config["_type"])


def check_node(config: Any, name: str) -> bool:
    """Whether a node is a task (else a group). Raises TaskError (Trowel.BadInput) with digdag's texts."""
    if not isinstance(config, dict):
        raise TaskError(BAD_INPUT, f"'{name}' must be a mapping, got {config!r}", task=name)
    operators = [key for key in config if key.endswith(">")]
    children = [key for key in config if key.startswith("+")]
    if operators or "_type" in config:
        if children:
            raise TaskError(BAD_INPUT, f"{name}: A task can't have subtasks: {', '.join(children)}", task=name)
        if len(operators) > 1:
            raise TaskError(BAD_INPUT, f"{name}: A task can't have more than one operator: {', '.join(operators)}", task=name)
        return True
    for key in config:
        if key not in _GROUP_KEYS and not key.startswith("+"):
            hint = did_you_mean(key, sorted(_GROUP_KEYS)) or " An operator ends with '>'."
            raise TaskError(BAD_INPUT, f"{name} contains invalid keys: '{key}'.{hint}", task=name)
    return False


def order(config: dict[str, Any], children: list[tuple[str, Any]], name: str) -> list[set[int]]:
    """For each child the indexes of those it waits for (digdag's WorkflowCompiler)."""
    parallel = config.get("_parallel")
    limit = 0
    if isinstance(parallel, dict):
        try:
            limit = int(parallel["limit"])
        except (KeyError, TypeError, ValueError):
            limit = 0
        if limit < 1:
            raise TaskError(BAD_INPUT, f"{name}: Invalid _parallel format: {parallel!r}", task=name)
    elif parallel not in (None, True, False, "true", "false"):
        raise TaskError(BAD_INPUT, f"{name}: Invalid _parallel format: {parallel!r}", task=name)
    if limit:
        return [set(range((at // limit - 1) * limit, at // limit * limit)) if at >= limit else set() for at in range(len(children))]
    if parallel in (True, "true"):
        return [_after(children, at, name) for at in range(len(children))]
    upstream: list[set[int]] = []
    before: set[int] = set()
    for at, (_, child) in enumerate(children):
        if isinstance(child, dict) and child.get("_background") in (True, "true"):
            upstream.append(set())
            before.add(at)
        else:
            upstream.append(before)
            before = {at}
    return upstream


def _after(children: list[tuple[str, Any]], at: int, name: str) -> set[int]:
    wanted = children[at][1].get("_after") if isinstance(children[at][1], dict) else None
    names = [key for key, _ in children[:at]]
    found = set()
    for key in wanted if isinstance(wanted, list) else [wanted] if wanted else []:
        if key not in names:
            raise TaskError(BAD_INPUT, f"{name}: Dependency task '{key}' does not exist", task=name)
        found.add(names.index(key))
    return found


def closure(at: int, upstream: list[set[int]]) -> set[int]:
    """All that a child waits for, also through others."""
    found: set[int] = set()
    todo = set(upstream[at])
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo |= upstream[one]
    return found
