"""What single nodes of a Python file say, as parts of an outline (outline.py)."""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Names = dict[str, Any]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
OTHER: dict[str, Any] = {"kind": "other"}


def is_within(found: dict[str, Any], body: list[ast.stmt]) -> bool:
    return bool(body[0].lineno <= found["line"] <= (body[-1].end_lineno or 0))


def exported(tree: ast.Module) -> list[str] | None:
    """`__all__` where it is written out, once, and nothing is added to it."""
    found: list[str] | None = None
    places = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "__all__"]
    for node in tree.body if len(places) == 1 else ():
        if isinstance(node, ast.Assign) and places[0] in node.targets and isinstance(node.value, (ast.List, ast.Tuple)):
            found = [e.value for e in node.value.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
            if len(found) != len(node.value.elts):
                return None
    return found


def targets(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, (ast.Tuple, ast.List)):
        for element in node.elts:
            yield from targets(element)
    elif isinstance(node, ast.Starred):
        yield from targets(node.value)


def names_in(node: ast.AST) -> list[str]:
    return [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]


def dotted(node: ast.AST) -> str:
    """`a.b.c`, or "?" for anything that is not a name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else "?"


def decorator(node: ast.expr) -> str:
    """`name`, or `name()` for one that is called."""
    return f"{dotted(node.func)}()" if isinstance(node, ast.Call) else dotted(node)


def value_of(node: ast.expr) -> dict[str, Any]:
    """`f = g` and `f = lambda …`; any other value is known when it runs."""
    if isinstance(node, ast.Lambda):
        return {"kind": "function", "line": node.lineno, "decorators": [], **arguments(node.args)}
    name = dotted(node)
    return {"kind": "alias", "of": name} if name != "?" else OTHER


def arguments(args: ast.arguments) -> dict[str, Any]:
    """`[name, required, kind]`, kind p (only by position), a (either way) or k (only by keyword)."""
    found: list[list[Any]] = []
    positional = [(each.arg, "p") for each in args.posonlyargs] + [(each.arg, "a") for each in args.args]
    least = len(positional) - len(args.defaults)
    for at, (name, kind) in enumerate(positional):
        found.append([name, at < least, kind])
    for each, default in zip(args.kwonlyargs, args.kw_defaults):
        found.append([each.arg, default is None, "k"])
    out: dict[str, Any] = {"args": found}
    if args.kwarg:
        out["rest"] = True
    return out


def yields(body: list[ast.stmt]) -> bool:
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            waiting.extend(ast.iter_child_nodes(node))
    return False


def wraps(node: ast.AST) -> int:
    """1 for a decorator whose inner function is decorated with functools.wraps, 2 for a function that makes one, else 0."""
    for statement in getattr(node, "body", []):
        if not isinstance(statement, FUNCTIONS):
            continue
        if any(decorator(each) in ("wraps()", "functools.wraps()") for each in statement.decorator_list):
            return 1
        if wraps(statement) == 1:
            return 2
    return 0


def class_of(node: ast.ClassDef, names: Names) -> dict[str, Any]:
    decorators = [decorator(each) for each in node.decorator_list]
    bases = [dotted(each.value if isinstance(each, ast.Subscript) else each) for each in node.bases]
    found: dict[str, Any] = {"kind": "class", "line": node.lineno, "bases": bases, "names": names, "decorators": decorators}
    if node.keywords:
        found["meta"] = True
    if any(each.rstrip("()").split(".")[-1] == "dataclass" for each in decorators):
        found["fields"] = list(fields(node))
        options = [keyword for each in node.decorator_list if isinstance(each, ast.Call) for keyword in each.keywords]
        if any(keyword.arg in ("init", "kw_only", None) for keyword in options):
            del found["fields"]
    return found


def fields(node: ast.ClassDef) -> Iterator[list[Any]]:
    """Of a dataclass, as arguments of its constructor."""
    keyword_only = False
    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        annotation = ast.dump(statement.annotation)
        if "'KW_ONLY'" in annotation:
            keyword_only = True
        elif "ClassVar" not in annotation:
            given = statement.value
            options = {each.arg: each.value for each in given.keywords} if isinstance(given, ast.Call) and is_field(given) else {}
            init = options.get("init")
            if isinstance(init, ast.Constant) and init.value is False:
                continue
            default = given is not None and (not options or bool({"default", "default_factory"} & options.keys()))
            if isinstance(given, ast.Call) and is_field(given) and not options:
                default = False
            by_keyword = options.get("kw_only")
            only = by_keyword.value if isinstance(by_keyword, ast.Constant) else keyword_only
            yield [statement.target.id, not default, "k" if only else "a"]


def is_field(node: ast.Call) -> bool:
    return dotted(node.func).split(".")[-1] == "field"


def stored_keys(node: ast.Call) -> list[str] | None:
    """Keys of `env.store({…}, name=…)`; None if they are known when it runs."""
    keys: list[str] = []
    for argument in node.args:
        if not isinstance(argument, ast.Dict):
            return None
        for key in argument.keys:
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                return None
            keys.append(key.value)
    for keyword in node.keywords:
        if keyword.arg is None:
            return None
        keys.append(keyword.arg)
    return keys
