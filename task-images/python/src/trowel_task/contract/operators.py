"""The operators that the runner itself carries out. Written by tools/write-operators.ts, from lib/language/operators."""

from __future__ import annotations

# How it carries them out.
RUNS = {"echo": "print", "fail": "failure", "sh": "shell", "py": "python"}
# Names of parameters that hold defaults of an operator's options.
DEFAULTS = {"sh": "sh", "py": "py"}
