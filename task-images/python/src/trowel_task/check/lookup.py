"""python -m trowel_task lookup: answers `trowel check`, a JSON line for each. It reads files and looks for modules; nothing of the
user's runs. First it says what this Python is. Then

`{"do": "outline", "files": [path…]}` → `{"outlines": […]}`
`{"do": "find", "names": [module…], "requirements": [distribution…], "site": folder?}` → `{"found": {name: {…} or null}, "closure": […],
"missing": […]}`; `site` is the folder of packages that the tasks use, if it is not this Python's own.
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SITES = ("site-packages", "dist-packages")


def about() -> dict[str, Any]:
    import sysconfig

    return {
        "version": ".".join(map(str, sys.version_info[:3])),
        # As lib/python/environment.ts asks for it to name an environment.
        "identity": f"{sys.version} {sysconfig.get_platform()} {sys.base_prefix}",
        "standard": standard(),
        "sites": [path for path in sys.path if path.endswith(SITES)],
        "implementation": sys.implementation.name,
    }


def standard() -> list[str]:
    """Names of the standard library's modules."""
    if sys.version_info >= (3, 10):
        return sorted(sys.stdlib_module_names)
    folder = os.path.dirname(os.__file__)
    names = set(sys.builtin_module_names)
    for place in (folder, os.path.join(folder, "lib-dynload")):
        for entry in os.listdir(place) if os.path.isdir(place) else ():
            name = entry.partition(".")[0]
            if name.isidentifier() and name not in SITES:
                names.add(name)
    return sorted(names)


def find(names: list[str], site: str | None) -> dict[str, Any]:
    """Installed modules: where they are, and which distributions bring them. The project's own folder is not on the path."""
    import importlib

    if site is not None:
        import site as packages

        sys.path[:] = [path for path in sys.path if not path.endswith(SITES)]
        packages.addsitedir(site)
    importlib.invalidate_caches()
    found: dict[str, Any] = {name: _spec(name) for name in names}
    if any(each is not None for each in found.values()):
        owners = distributions()
        for name, each in found.items():
            if each is not None:
                each["distributions"] = owners["names"].get(name, [])
    return {"found": found}


def _spec(name: str) -> dict[str, Any] | None:
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(name, None)
        except Exception:  # a finder of some package; what it cannot say is not known
            continue
        if spec is not None:
            return {"origin": spec.origin, "folders": list(spec.submodule_search_locations or [])}
    return None


def distributions() -> dict[str, Any]:
    """`names`: distributions by top-level module; `requires`: what each distribution needs, as it says."""
    from importlib import metadata

    names: dict[str, list[str]] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if not name:
            continue
        tops = {line.strip() for line in (distribution.read_text("top_level.txt") or "").splitlines() if line.strip()}
        for path in [] if tops else distribution.files or []:
            top = path.parts[0]
            if top.endswith((".dist-info", ".egg-info", "..")) or top == "__pycache__":
                continue
            tops.add(top.partition(".")[0])
        for top in tops:
            owners = names.setdefault(top, [])
            if name not in owners:
                owners.append(name)
    return {"names": names}


def requires(roots: list[str]) -> dict[str, Any]:
    """The distributions that these bring, themselves included, as far as they are installed; `missing`: those that are not."""
    import re
    from importlib import metadata

    closure: set[str] = set()
    missing: list[str] = []
    waiting = list(roots)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in closure:
            continue
        closure.add(name)
        try:
            lines = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        for line in lines:
            match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", line)
            if match and "extra ==" not in line:
                waiting.append(match.group(1))
    return {"closure": sorted(closure), "missing": missing}


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    if asked["do"] == "outline":
        return {"outlines": [_outline(path) for path in asked["files"]]}
    if asked["do"] == "find":
        return {**find(asked["names"], asked.get("site")), **requires(asked.get("requirements") or [])}
    return {"error": f"expected 'outline' or 'find', got {asked['do']!r}"}


def _outline(path: str) -> dict[str, Any]:
    from trowel_task.check.outline import outline

    try:
        with open(path, "rb") as file:
            return outline(file.read())
    except OSError:
        return {"unknown": True}


def main() -> int:
    here = os.getcwd()
    sys.path[:] = [path for path in sys.path if path not in ("", here, SOURCE)]
    write = os.dup(1)
    os.dup2(2, 1)
    with open(write, "w", encoding="ascii") as out:
        out.write(json.dumps(about()) + "\n")
        out.flush()
        for line in sys.stdin:
            out.write(json.dumps(answer(json.loads(line))) + "\n")
            out.flush()
    return 0
