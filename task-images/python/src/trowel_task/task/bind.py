"""From `py>: pkg.module.Class.method` and parameters to a call, as digdag's runner does it."""

from __future__ import annotations

import os
import sys
import types

from trowel_task.contract.errors import did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any


def call(command: str, params: Mapping[str, Any]) -> tuple[types.ModuleType, Any]:
    """Finds the function or class, binds arguments by name, calls it. Returns the module it was found in, and what the call returned.

    Raises what user code raises; ModuleNotFoundError, AttributeError, TypeError, ValueError with a hint if nothing fits.
    """
    module, owner, target = resolve(command)
    if isinstance(target, type):
        method = getattr(target, "run", None)
        if method is None:
            raise AttributeError(f"Class '{target.__qualname__}' has no method 'run'")
        owner, name = target, "run"
    else:
        name = command.rpartition(".")[2]
    if owner is not None:
        args, kwargs = arguments(owner.__init__, params, bound=True)  # type: ignore[misc]
        target = getattr(owner(*args, **kwargs), name)
    if not callable(target):
        raise TypeError(f"'{command}' is not callable: it is of type {type(target).__name__}")
    args, kwargs = arguments(target, params)
    return module, target(*args, **kwargs)


def resolve(command: str) -> tuple[types.ModuleType, type | None, Any]:
    """(module, class the target is a member of, target)."""
    parts = command.strip().split(".")
    if not all(parts):
        raise ValueError(f"py>: '{command}' is not a name: write module.function or module.Class.method")
    if len(parts) == 1:
        raise ValueError(f"py>: '{command}' has no module: write module.function, for example tasks.{command}")
    for count in range(len(parts) - 1, 0, -1):
        module = _module(".".join(parts[:count]))
        if module is None:
            continue
        hidden = _hidden(parts)
        if hidden is not None:
            raise ImportError(hidden)
        owner, target = None, module
        for at, part in enumerate(parts[count:], count):
            if at > count:
                owner = target if isinstance(target, type) else None
            try:
                target = getattr(target, part)
            except AttributeError:
                raise AttributeError(_no_attribute(target, parts, at)) from None
        return module, owner, target
    raise AssertionError("unreachable")


def _module(name: str) -> types.ModuleType | None:
    """The module, or None if its last part is not a module (then it may be a class). Raises what the import of existing code raises."""
    try:
        return __import__(name, fromlist=["__name__"]) if "." in name else __import__(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name != missing and not name.startswith(missing + "."):
            raise  # some import within the user's module
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None and _is_user(error):
            raise
        if "." in missing:
            return None
        hint = did_you_mean(missing, _modules([os.getcwd()])) or f" {missing}.py or {missing}/ should be in {os.getcwd()}"
        raise ModuleNotFoundError(f"No module named '{missing}'.{hint}", name=missing) from None


def _is_user(error: BaseException) -> bool:
    from trowel_task.contract.errors import is_runner

    tb = error.__traceback__
    while tb is not None:
        if not is_runner(tb.tb_frame.f_code.co_filename):
            return True
        tb = tb.tb_next
    return False


def _modules(folders: list[str]) -> list[str]:
    """Names of the modules in a package, or in the project's folder."""
    names: list[str] = []
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                names += [e.name[:-3] if e.name.endswith(".py") else e.name for e in entries if _importable(e)]
        except OSError:
            pass
    return names


def _importable(entry: os.DirEntry[str]) -> bool:
    name, dot, rest = entry.name.partition(".")
    return name.isidentifier() and not name.startswith("__") and (rest == "py" if dot else entry.is_dir())


def _no_attribute(holder: Any, parts: list[str], at: int) -> str:
    name, where = parts[at], ".".join(parts[:at])
    known = [n for n in dir(holder) if callable(getattr(holder, n, None)) and not n.startswith("__")]
    inside = _modules(list(getattr(holder, "__path__", [])))
    hint = did_you_mean(name, known + inside)
    if not isinstance(holder, types.ModuleType):
        kind = "Class" if isinstance(holder, type) else "Object"
        return f"{kind} '{where}' has no attribute '{name}'.{hint}"
    if name in inside:
        return f"'{where}.{name}' is a module: name a function in it, as {where}.{name}.FUNCTION"
    return f"Module '{where}' has no attribute '{name}'.{hint}"


def _hidden(parts: list[str]) -> str | None:
    """What is wrong where a module of this project was meant, and Python has found another of its name first."""
    top = parts[0]
    found = sys.modules.get(top)
    places = [p for p in (getattr(found, "__file__", None), *getattr(found, "__path__", [])) if p]
    for path in (top + ".py", os.path.join(top, "__init__.py"), os.path.join(top, *parts[1:2]) + ".py"):
        if not os.path.isfile(path):
            continue
        here = os.path.join(os.path.realpath(os.getcwd()), top)
        if any((os.path.realpath(place) + os.sep).startswith((here + os.sep, here + ".py" + os.sep)) for place in places):
            return None
        own = not places or (places[0].startswith(os.path.dirname(os.__file__)) and "-packages" not in places[0])
        whose = "one of the standard library" if own else f"{places[0]}"
        return f"{path} of this project is never loaded: Python finds another module '{top}' first, {whose}. Rename it"
    return None


class _Parameter:
    __slots__ = ("keyword", "name", "required")

    def __init__(self, name: str, required: bool, keyword: bool) -> None:
        self.name, self.required, self.keyword = name, required, keyword


def arguments(function: Callable[..., Any], params: Mapping[str, Any], bound: bool = False) -> tuple[list[Any], dict[str, Any]]:
    """Arguments by name. `bound`: the first one is `self`. A function with **kwargs gets every parameter.

    A parameter that exists and is null is passed as None. Raises TypeError for a required one that does not exist.
    """
    if function is object.__init__:
        return [], {}
    wanted, takes_all = _parameters(function, bound)
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    gap = False  # after a positional-only default that is left out, none can follow
    for parameter in wanted:
        if parameter.name in params:
            if parameter.keyword:
                kwargs[parameter.name] = params[parameter.name]
            elif not gap:
                args.append(params[parameter.name])
        elif parameter.required:
            name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None) or repr(function)
            raise TypeError(f"Method '{name}' requires parameter '{parameter.name}' but not set")
        elif not parameter.keyword:
            gap = True
    if takes_all:
        positional = {parameter.name for parameter in wanted if not parameter.keyword}
        first = next(iter(_self_name(function, bound)), None)
        kwargs = {key: params[key] for key in params if key not in positional and key != first}
    return args, kwargs


def _self_name(function: Any, bound: bool) -> Iterator[str]:
    """A parameter called like a method's first argument cannot be given to **kwargs."""
    plain = getattr(function, "__func__", function)
    if (bound or plain is not function) and isinstance(plain, types.FunctionType) and plain.__code__.co_argcount:
        yield plain.__code__.co_varnames[0]


def _parameters(function: Any, bound: bool) -> tuple[list[_Parameter], bool]:
    plain = getattr(function, "__func__", function)
    skip = 1 if bound or plain is not function else 0
    if not isinstance(plain, types.FunctionType) or hasattr(plain, "__wrapped__"):
        return _inspected(function, bound)
    code = plain.__code__  # inspect costs an import of 10 ms
    names = code.co_varnames
    count = code.co_argcount
    defaults = count - len(plain.__defaults__ or ())
    found = [_Parameter(names[i], i < defaults, i >= code.co_posonlyargcount) for i in range(skip, count)]
    given = plain.__kwdefaults__ or {}
    for name in names[count : count + code.co_kwonlyargcount]:
        found.append(_Parameter(name, name not in given, True))
    return found, bool(code.co_flags & 0x08)  # CO_VARKEYWORDS


def _inspected(function: Any, bound: bool) -> tuple[list[_Parameter], bool]:
    """Decorated functions (the wrapped one's arguments), partials, callable objects, functions written in C."""
    import inspect

    try:
        signature = inspect.signature(function)
    except ValueError:
        return [], False  # no signature to read: called without arguments
    found, takes_all = [], False
    for at, p in enumerate(signature.parameters.values()):
        if bound and at == 0:
            continue
        if p.kind is p.VAR_KEYWORD:
            takes_all = True
        elif p.kind is not p.VAR_POSITIONAL:
            found.append(_Parameter(p.name, p.default is p.empty, p.kind is not p.POSITIONAL_ONLY))
    return found, takes_all
