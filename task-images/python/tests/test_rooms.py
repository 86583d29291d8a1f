"""The rooms of trowel_task and their order (trowel_task/__init__.py): imports go down, also those inside functions and for types."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from conftest import SOURCE

PACKAGE = SOURCE / "trowel_task"
FILES = sorted(PACKAGE.rglob("*.py"))
# From above.
ROOMS = ("host", "check", "adapters", "subtasks", "task", "store", "kinds", "aws", "contract", "system")
MOST_FILES = 14
MOST_LINES = 400
# What Python itself and pandas have no public name for.
PRIVATE = {"os._exit", "atexit._ncallbacks", "atexit._run_exitfuncs", "threading._shutdown", "index._data", "holder._freq"}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in FILES}


def imported(path: Path) -> set[str]:
    """Modules of the package that a file imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("trowel_task"):
            found |= {f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in MODULES else node.module for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("trowel_task")}
    return found


def room_of(module: str) -> str:
    return module.split(".")[1] if module.count(".") > 1 else ""


def test_every_folder_is_a_room():
    assert {path.parent.name for path in FILES if path.parent != PACKAGE} == set(ROOMS)


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_go_down(path):
    above = room_of(module_of(path))
    wrong = set()
    for module in imported(path):
        below = room_of(module)
        # Entries import every room; constants of the package itself are for all.
        if above and below and ROOMS.index(below) < ROOMS.index(above):
            wrong.add(module)
        if above and not below and module != "trowel_task":
            wrong.add(module)
    assert wrong == set()


def test_nobody_imports_an_adapter():
    """They are loaded by name (task/adapter.py). An adapter may import modules that begin with its name; testing.py is digdag's."""
    adapters = {module for module in MODULES if module.startswith("trowel_task.adapters.")}
    for path in FILES:
        module = module_of(path)
        for name in imported(path) & adapters:
            assert module == "trowel_task.testing" or name.startswith(f"{module}_"), f"{module} imports {name}"


def test_no_module_is_in_a_circle():
    left = {module: imported(path) & MODULES.keys() for module, path in MODULES.items()}
    while free := [module for module, needs in left.items() if not needs & left.keys()]:
        for module in free:
            del left[module]
    assert left == {}


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_only_the_standard_library_is_imported_at_once(path):
    """pytest only by its plugin; libraries of the project in functions."""
    for node in ast.parse(path.read_text()).body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.partition(".")[0] not in ("numpy", "pandas", "polars", "pyarrow", "boto3")
            assert name != "pytest" or path.name == "testing.py"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_no_private_name_of_another_module_is_used(path):
    """`x._y` is of this file: of `self`, or of a class that is here."""
    tree = ast.parse(path.read_text())
    own = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("self", "cls")}
    own |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            assert node.attr in own or ast.unparse(node) in PRIVATE, f"line {node.lineno}: {ast.unparse(node)}"
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("trowel_task"):
            assert not [alias.name for alias in node.names if alias.name.startswith("_")]


def test_folders_and_files_are_small():
    for folder in {path.parent for path in FILES}:
        assert len(list(folder.glob("*.py"))) <= MOST_FILES, folder
    assert [path for path in FILES if len(path.read_text().splitlines()) > MOST_LINES] == []
