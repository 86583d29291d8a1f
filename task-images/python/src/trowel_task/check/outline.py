"""What a Python file defines, read from its text: nothing of it runs. `trowel check` looks functions up in it (lib/compiler/python).

An outline is JSON: `names` (what the module binds), `stars` (`from x import *`), `all`, `imports`, what it may `store`, and signs of
what text does not show. lib/compiler/python/outline.ts describes its fields.
"""

from __future__ import annotations

import ast
import re
import warnings

from trowel_task.check.nodes import (
    FUNCTIONS,
    OTHER,
    arguments,
    class_of,
    decorator,
    exported,
    is_within,
    names_in,
    stored_keys,
    targets,
    value_of,
    wraps,
    yields,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Names = dict[str, Any]

# A larger file holds data; reading it would take seconds.
LARGEST = 2_000_000
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
            public = exported(self.tree)
            if public is None:
                found["dynamic"] = True
            else:
                found["all"] = public
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
            decorators = [decorator(each) for each in node.decorator_list]
            if not any(each.split(".")[-1] == "overload" for each in decorators):
                bind(node.name, self.function(node, decorators))
            if self.imports_inside:
                self.inside(node.body)
        elif isinstance(node, ast.ClassDef):
            inner: Names = {}
            self.block(node.body, inner, True, guarded)
            bind(node.name, class_of(node, inner))
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
                for name in targets(target):
                    bind(name, value_of(node.value) if isinstance(target, ast.Name) else OTHER)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                for name in targets(node.target):
                    bind(name, value_of(node.value))
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                for name in targets(target):
                    names[name] = OTHER
        elif isinstance(node, ast.If):
            self.branches(node, names, guarded)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            for name in targets(node.target):
                bind(name, OTHER)
            self.block([*node.body, *node.orelse], names, False, True)
        elif isinstance(node, ast.While):
            self.block([*node.body, *node.orelse], names, False, True)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                for name in targets(item.optional_vars) if item.optional_vars else ():
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
            self.imports = [each for each in self.imports if not is_within(each, node.body)]
            return
        self.block(node.body, names, False, True)
        self.block(node.orelse, names, False, True)

    def attempt(self, node: ast.Try, names: Names, guarded: bool) -> None:
        catches = any(handler.type is None or any(name in IMPORT_ERRORS for name in names_in(handler.type)) for handler in node.handlers)
        self.block(node.body, names, not node.handlers, guarded or catches)
        for handler in node.handlers:
            if handler.name:
                names.setdefault(handler.name, OTHER)
            self.block(handler.body, names, False, True)
        self.block(node.orelse, names, False, guarded or catches)
        self.block(node.finalbody, names, False, guarded)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, decorators: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = {"kind": "function", "line": node.lineno, "decorators": decorators, **arguments(node.args)}
        if self.yields and yields(node.body):
            found["lazy"] = "a generator"
        elif isinstance(node, ast.AsyncFunctionDef):
            found["lazy"] = "async def"
        level = wraps(node) if self.wraps else 0
        if level:
            found["wraps"] = level
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
                keys = stored_keys(node)
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
