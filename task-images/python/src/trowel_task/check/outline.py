"""What a Python file defines, read from its text: nothing of it runs. `trowel check` looks functions up in it (lib/compiler/python).

An outline is JSON: `names` (what the module binds), `stars` (`from x import *`), `all`, `imports`, what it may `store`, and signs of
what text does not show. lib/compiler/python/outline.ts describes its fields.
"""

from __future__ import annotations

import ast
import re
import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    Names = dict[str, Any]

# A larger file holds data; reading it would take seconds.
LARGEST = 2_000_000
OTHER: dict[str, Any] = {"kind": "other"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# Names whose use means that a module may bind, or a task may store, what its text does not show.
BINDERS = {"globals", "exec", "setattr", "modules"}
CALLERS = {"exec", "eval", "importlib", "runpy", "__import__"}
# Most files have none of these words and need not be searched for what they mean.
NEEDS_WALK = re.compile(
    rb"\b(?:store|add_subtask|store_params|subtask_config|globals|exec|eval|importlib|runpy|__import__|vars|locals|global|modules|setattr)\b|:="
)
# Further folders to import from: which, is known when it runs.
PATHS = re.compile(rb"\bsys\s*\.\s*(?:path|meta_path|path_hooks)\b|\bfrom\s+sys\s+import\b[^\n]*\bpath\b|\baddsitedir\b|\bpkgutil\b")
INNER_IMPORT = re.compile(rb"^[ \t]+(?:import|from)\b|[:;][ \t]*(?:import|from)\b", re.MULTILINE)
IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


def outline(source: bytes) -> dict[str, Any]:
    """Of the text of one file. Raises nothing: invalid Python is `fault`, and what cannot be read is `unknown`."""
    if len(source) > LARGEST:
        return {"unknown": True}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
            # Faults that the parser lets pass, such as `return` outside of a function.
            compile(tree, "<outline>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return {"fault": _fault(error)}
    except ValueError as error:  # null bytes
        return {"fault": {"message": str(error), "line": 1, "column": 0}}
    except (RecursionError, MemoryError):
        return {"unknown": True}
    return _Reader(tree, source).read()


def _fault(error: SyntaxError) -> dict[str, Any]:
    line = error.lineno or 1
    found = {"message": error.msg, "line": line, "column": _utf16(error.text or "", (error.offset or 1) - 1)}
    end = getattr(error, "end_offset", None)
    if end and getattr(error, "end_lineno", None) == line and end > (error.offset or 1):
        found["end"] = _utf16(error.text or "", end - 1)
    return found


def _utf16(text: str, characters: int) -> int:
    """A column as JavaScript counts it."""
    head = text[: max(characters, 0)]
    return len(head) + sum(ord(c) > 0xFFFF for c in head)


class _Reader:
    def __init__(self, tree: ast.Module, source: bytes) -> None:
        self.tree = tree
        self.lines = re.split(r"\r\n|\n|\r", source.decode("utf-8", "replace"))
        self.yields = b"yield" in source
        self.wraps = b"wraps" in source
        self.paths = PATHS.search(source) is not None
        self.lists_names = source.count(b"__all__") > 0
        self.imports_inside = INNER_IMPORT.search(source) is not None
        self.needs_walk = NEEDS_WALK.search(source) is not None
        self.imports: list[dict[str, Any]] = []
        self.stars: list[dict[str, Any]] = []
        self.patches = False

    def read(self) -> dict[str, Any]:
        names: Names = {}
        self.block(self.tree.body, names, certain=True, guarded=False)
        found: dict[str, Any] = {"names": names, "imports": self.imports, "stars": self.stars}
        if self.paths:
            found["paths"] = True
        if self.patches:
            found["dynamic"] = True
        if self.lists_names:
            exported = _all(self.tree)
            if exported is None:
                found["dynamic"] = True
            else:
                found["all"] = exported
        if self.needs_walk:
            self.everywhere(found, names)
        return found

    # What is bound, statement by statement

    def block(self, body: Iterable[ast.stmt], names: Names, certain: bool, guarded: bool) -> None:
        for statement in body:
            self.statement(statement, names, certain, guarded)

    def statement(self, node: ast.stmt, names: Names, certain: bool, guarded: bool) -> None:
        def bind(name: str, binding: dict[str, Any]) -> None:
            before = names.get(name)
            names[name] = binding if certain or before is None else OTHER

        if isinstance(node, FUNCTIONS):
            decorators = [_decorator(each) for each in node.decorator_list]
            if not any(each.split(".")[-1] == "overload" for each in decorators):
                bind(node.name, self.function(node, decorators))
            if self.imports_inside:
                self.inside(node.body)
        elif isinstance(node, ast.ClassDef):
            inner: Names = {}
            self.block(node.body, inner, True, guarded)
            bind(node.name, _class(node, inner))
        elif isinstance(node, ast.Import):
            for alias in node.names:
                binding = {"kind": "import", "module": alias.name if alias.asname else alias.name.split(".")[0], "level": 0}
                bind(alias.asname or alias.name.split(".")[0], binding)
                self.imported(node, alias.name, 0, [], guarded, False, alias)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            for alias in node.names:
                if alias.name == "*":
                    self.stars.append({"module": module, "level": node.level})
                else:
                    bind(alias.asname or alias.name, {"kind": "import", "module": module, "name": alias.name, "level": node.level})
            self.imported(node, module, node.level, [alias.name for alias in node.names if alias.name != "*"], guarded, False)
        elif isinstance(node, ast.Assign):
            # `Class.method = function`.
            self.patches = self.patches or any(isinstance(target, ast.Attribute) for target in node.targets)
            for target in node.targets:
                for name in _targets(target):
                    bind(name, _value(node.value) if isinstance(target, ast.Name) else OTHER)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                for name in _targets(node.target):
                    bind(name, _value(node.value))
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                for name in _targets(target):
                    names[name] = OTHER
        elif isinstance(node, ast.If):
            self.branches(node, names, guarded)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            for name in _targets(node.target):
                bind(name, OTHER)
            self.block([*node.body, *node.orelse], names, False, True)
        elif isinstance(node, ast.While):
            self.block([*node.body, *node.orelse], names, False, True)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                for name in _targets(item.optional_vars) if item.optional_vars else ():
                    bind(name, OTHER)
            lenient = any("suppress" in ast.dump(item.context_expr) for item in node.items)
            self.block(node.body, names, certain and not lenient, guarded or lenient)
        elif isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
            self.attempt(node, names, guarded)  # type: ignore[arg-type]
        elif type(node).__name__ == "Match":
            for case in node.cases:  # type: ignore[attr-defined]
                self.block(case.body, names, False, True)
        elif type(node).__name__ == "TypeAlias":
            bind(node.name.id, OTHER)  # type: ignore[attr-defined]

    def branches(self, node: ast.If, names: Names, guarded: bool) -> None:
        test = ast.dump(node.test)
        if "'TYPE_CHECKING'" in test and isinstance(node.test, (ast.Name, ast.Attribute)):
            self.block(node.orelse, names, True, guarded)  # the body never runs
            for statement in node.body:
                inner: Names = {}
                self.statement(statement, inner, True, True)
                for name in inner:
                    names.setdefault(name, OTHER)
            self.imports = [each for each in self.imports if not _within(each, node.body)]
            return
        self.block(node.body, names, False, True)
        self.block(node.orelse, names, False, True)

    def attempt(self, node: ast.Try, names: Names, guarded: bool) -> None:
        catches = any(handler.type is None or any(name in IMPORT_ERRORS for name in _names(handler.type)) for handler in node.handlers)
        self.block(node.body, names, not node.handlers, guarded or catches)
        for handler in node.handlers:
            if handler.name:
                names.setdefault(handler.name, OTHER)
            self.block(handler.body, names, False, True)
        self.block(node.orelse, names, False, guarded or catches)
        self.block(node.finalbody, names, False, guarded)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, decorators: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = {"kind": "function", "line": node.lineno, "decorators": decorators, **_arguments(node.args)}
        if self.yields and _yields(node.body):
            found["lazy"] = "a generator"
        elif isinstance(node, ast.AsyncFunctionDef):
            found["lazy"] = "async def"
        wraps = _wraps(node) if self.wraps else 0
        if wraps:
            found["wraps"] = wraps
        return found

    def inside(self, body: Iterable[ast.stmt]) -> None:
        """Imports of a function's body: they run when it is called."""
        for statement in body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Import):
                    for alias in node.names:
                        self.imported(node, alias.name, 0, [], False, True, alias)
                elif isinstance(node, ast.ImportFrom):
                    names = [alias.name for alias in node.names if alias.name != "*"]
                    self.imported(node, node.module or "", node.level, names, False, True)

    def imported(
        self, node: Any, module: str, level: int, names: list[str], guarded: bool, lazy: bool, alias: ast.alias | None = None
    ) -> None:
        line = getattr(alias, "lineno", node.lineno)
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        column = _utf16(text, len(text.encode()[: getattr(alias, "col_offset", node.col_offset)].decode("utf-8", "replace")))
        if alias is None or not hasattr(alias, "lineno"):
            match = re.compile(r"(?:from|import)\s+").match(text, column)
            column = match.end() if match else column
        found: dict[str, Any] = {"module": module, "level": level, "line": line, "column": column, "end": column + len(module) + level}
        if names:
            found["names"] = names
        if guarded:
            found["guarded"] = True
        if lazy:
            found["lazy"] = True
        self.imports.append(found)

    # What counts wherever it is

    def everywhere(self, found: dict[str, Any], names: Names) -> None:
        stores: set[str] = set()
        more = False
        called: set[int] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "store":
                called.add(id(node.func))
                keys = _stored(node)
                stores.update(keys or ())
                more = more or keys is None
            elif isinstance(node, ast.Attribute):
                if node.attr in ("add_subtask", "store_params", "subtask_config") or (node.attr == "store" and id(node) not in called):
                    more = True
                elif node.attr == "modules":
                    found["dynamic"] = True
            elif isinstance(node, ast.Name):
                if node.id in BINDERS:
                    found["dynamic"] = True
                if node.id in CALLERS:
                    more = True
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("vars", "locals") and not node.args:
                found["dynamic"] = True
            elif isinstance(node, ast.Constant):
                more = more or node.value == "store"
            elif isinstance(node, (ast.Global, ast.NamedExpr)):
                for name in node.names if isinstance(node, ast.Global) else [node.target.id]:
                    names.setdefault(name, OTHER)
        if stores:
            found["stores"] = sorted(stores)
        if more:
            found["storesMore"] = True


def _within(found: dict[str, Any], body: list[ast.stmt]) -> bool:
    return bool(body[0].lineno <= found["line"] <= (body[-1].end_lineno or 0))


def _all(tree: ast.Module) -> list[str] | None:
    """`__all__` where it is written out, once, and nothing is added to it."""
    found: list[str] | None = None
    places = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "__all__"]
    for node in tree.body if len(places) == 1 else ():
        if isinstance(node, ast.Assign) and places[0] in node.targets and isinstance(node.value, (ast.List, ast.Tuple)):
            found = [e.value for e in node.value.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
            if len(found) != len(node.value.elts):
                return None
    return found


def _targets(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, (ast.Tuple, ast.List)):
        for element in node.elts:
            yield from _targets(element)
    elif isinstance(node, ast.Starred):
        yield from _targets(node.value)


def _names(node: ast.AST) -> list[str]:
    return [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]


def dotted(node: ast.AST) -> str:
    """`a.b.c`, or "?" for anything that is not a name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else "?"


def _decorator(node: ast.expr) -> str:
    """`name`, or `name()` for one that is called."""
    return f"{dotted(node.func)}()" if isinstance(node, ast.Call) else dotted(node)


def _value(node: ast.expr) -> dict[str, Any]:
    """`f = g` and `f = lambda …`; any other value is known when it runs."""
    if isinstance(node, ast.Lambda):
        return {"kind": "function", "line": node.lineno, "decorators": [], **_arguments(node.args)}
    name = dotted(node)
    return {"kind": "alias", "of": name} if name != "?" else OTHER


def _arguments(args: ast.arguments) -> dict[str, Any]:
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


def _yields(body: list[ast.stmt]) -> bool:
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            waiting.extend(ast.iter_child_nodes(node))
    return False


def _wraps(node: ast.AST) -> int:
    """1 for a decorator whose inner function is decorated with functools.wraps, 2 for a function that makes one, else 0."""
    for statement in getattr(node, "body", []):
        if not isinstance(statement, FUNCTIONS):
            continue
        if any(_decorator(each) in ("wraps()", "functools.wraps()") for each in statement.decorator_list):
            return 1
        if _wraps(statement) == 1:
            return 2
    return 0


def _class(node: ast.ClassDef, names: Names) -> dict[str, Any]:
    decorators = [_decorator(each) for each in node.decorator_list]
    bases = [dotted(each.value if isinstance(each, ast.Subscript) else each) for each in node.bases]
    found: dict[str, Any] = {"kind": "class", "line": node.lineno, "bases": bases, "names": names, "decorators": decorators}
    if node.keywords:
        found["meta"] = True
    if any(each.rstrip("()").split(".")[-1] == "dataclass" for each in decorators):
        found["fields"] = list(_fields(node))
        options = [keyword for each in node.decorator_list if isinstance(each, ast.Call) for keyword in each.keywords]
        if any(keyword.arg in ("init", "kw_only", None) for keyword in options):
            del found["fields"]
    return found


def _fields(node: ast.ClassDef) -> Iterator[list[Any]]:
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
            options = {each.arg: each.value for each in given.keywords} if isinstance(given, ast.Call) and _is_field(given) else {}
            init = options.get("init")
            if isinstance(init, ast.Constant) and init.value is False:
                continue
            default = given is not None and (not options or bool({"default", "default_factory"} & options.keys()))
            if isinstance(given, ast.Call) and _is_field(given) and not options:
                default = False
            by_keyword = options.get("kw_only")
            only = by_keyword.value if isinstance(by_keyword, ast.Constant) else keyword_only
            yield [statement.target.id, not default, "k" if only else "a"]


def _is_field(node: ast.Call) -> bool:
    return dotted(node.func).split(".")[-1] == "field"


def _stored(node: ast.Call) -> list[str] | None:
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
