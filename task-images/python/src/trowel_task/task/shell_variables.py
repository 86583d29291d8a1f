"""The environment of sh>: which variables of the scope a script gets. The system takes no long ones and not many bytes together. What a
script uses cannot be known fully (its programs read the environment too): what it names is there or the task fails; of the rest, what
fits."""

from __future__ import annotations

import os
import re
import sys

from trowel_task.contract.errors import FAILED, TaskError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Bytes of `NAME=VALUE` and its NUL: Linux takes no longer string (MAX_ARG_STRLEN); elsewhere the same, so that a workflow runs everywhere.
LONGEST = 128 * 1024
# Of the bytes that the system takes: the rest is for arguments of the programs that the script starts.
_OF_USED, _OF_OTHERS = 0.75, 0.5
# Files that may be programs: by their names' ends, or executable.
_SOURCES = (".sh", ".bash", ".zsh", ".py", ".rb", ".pl", ".js", ".mjs", ".cjs", ".ts", ".R", ".php", ".awk", ".mk", "Makefile")
_LARGEST_SOURCE, _MOST_SOURCES = 1024 * 1024, 100
_READS_ENVIRONMENT = re.compile(r"\b(environ|getenv|printenv|env|ENV)\b")


def choose(variables: Mapping[str, str], used: set[str], env: Mapping[str, str], inherited: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """The whole environment: `env` (from `_env`) wins over variables, and both over what is inherited. `used`: of the variables. Raises
    TaskError that names what is too large."""
    room = limit()
    out = dict(inherited)
    for of, texts in (("sh>", {name: variables[name] for name in used if name not in env}), ("_env", env)):
        for name, text in texts.items():
            if "\0" in text:
                raise TaskError(
                    FAILED, f"{of}: the variable '{name}' contains a NUL character, which an environment variable cannot contain (config)"
                )
            if size(name, text) > LONGEST:
                raise TaskError(FAILED, _TOO_LONG.format(of=of, name=name, bytes=len(to_bytes(text)), way_out=WAY_OUT))
            out[to_bytes(name)] = to_bytes(text)
    total = _total(out)
    if total > room * _OF_USED:
        raise TaskError(FAILED, _too_much(out, total, int(room * _OF_USED)))
    others = [(size(name, text), name) for name, text in variables.items() if name not in used and name not in env]
    for bytes_, name in sorted(others):
        if "\0" in variables[name]:
            continue
        if bytes_ > LONGEST or total + bytes_ > room * _OF_OTHERS:
            break
        total += bytes_
        out[to_bytes(name)] = to_bytes(variables[name])
    return out


def limit() -> int:
    """Bytes of arguments and environment together that a program can be started with."""
    if sys.platform == "linux":
        import resource

        stack = resource.getrlimit(resource.RLIMIT_STACK)[0]
        most = 6 * 1024 * 1024
        return most if stack == resource.RLIM_INFINITY else min(most, max(stack // 4, 128 * 1024))
    return os.sysconf("SC_ARG_MAX")


def used_names(script: str, names: Iterable[str]) -> set[str]:
    """Names that the script expands (`$a`, `${a}`, `${#a}`), or that are in a line that reads the environment in another way."""
    found: set[str] = set()
    for line in script.splitlines():
        if line.lstrip().startswith("#"):
            continue
        found.update(re.findall(r"\$\{?[#!]?([A-Za-z_][A-Za-z0-9_]*)", line))
        if _READS_ENVIRONMENT.search(line):
            found.update(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", line))
    return found.intersection(names)


def used_in_files(script: str, names: Iterable[str]) -> set[str]:
    """The same of the scripts and programs below the working folder that the script names, and of those that these name."""
    found: set[str] = set()
    seen: set[str] = set()
    texts = [script]
    while texts:
        for word in set(re.findall(r"[\w./@+-]+", texts.pop())):
            path = os.path.normpath(word)
            if path in seen or len(seen) >= _MOST_SOURCES or not _is_source(path):
                continue
            seen.add(path)
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
            if "\0" not in text:
                found |= used_names(text, names)
                texts.append(text)
    return found


def _is_source(path: str) -> bool:
    try:
        if os.path.isabs(path) or not os.path.isfile(path) or os.path.getsize(path) > _LARGEST_SOURCE:
            return False
    except (OSError, ValueError):
        return False
    return os.access(path, os.R_OK) and (path.endswith(_SOURCES) or os.access(path, os.X_OK))


def all_fit(variables: Mapping[str, str]) -> bool:
    """Whether none is left out, whatever is used."""
    if any("\0" in text for text in variables.values()):
        return False
    sizes = [size(name, text) for name, text in variables.items()]
    return max(sizes, default=0) <= LONGEST and sum(sizes) <= limit() * _OF_OTHERS / 2


def size(name: str, text: str) -> int:
    return len(name) + len(to_bytes(text)) + 2


def to_bytes(text: str) -> bytes:
    """UTF-8 whatever the locale is."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair
        return text.encode("utf-8", "replace")


WAY_OUT = "Store what is large as a file (digdag.env.store with a pathlib.Path: the variable is its path then), or read it in a py> task"
_TOO_LONG = "{of}: the variable '{name}' has {bytes} bytes, and an environment variable has 128 KiB at the most. {way_out} (config)"


def _too_much(env: Mapping[bytes, bytes], total: int, most: int) -> str:
    largest = sorted(env, key=lambda name: (-len(env[name]), name))[:3]
    shown = ", ".join(f"'{name.decode('utf-8', 'replace')}' ({len(env[name])} bytes)" for name in largest)
    message = f"sh>: the variables that the script uses have {total} bytes together, and programs get {most} at the most."
    return f"{message} The largest: {shown}. {WAY_OUT} (config)"


def _total(env: Mapping[bytes, bytes]) -> int:
    # With the pointer to each.
    return sum(len(name) + len(value) + 10 for name, value in env.items())
