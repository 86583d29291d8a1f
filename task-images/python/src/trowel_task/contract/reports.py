"""What a task reports while it works: docs/protocol.md, message `report`."""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Begins a report on the pipe from a task's process to the worker; the rest of the line is the report as JSON.
LINE = b"report "
KIND = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
LEVELS = ("info", "warning", "error")
# Bytes of a report's data as JSON. Of longer data this many characters are kept.
LIMIT = 65_536
KEPT = 16_000
# Reports of one task.
MOST = 100_000


def checked(kind: str, data: Any, level: str) -> dict[str, Any]:
    """A report. Raises ValueError or TypeError for what is none."""
    if not isinstance(kind, str) or not KIND.fullmatch(kind):
        raise ValueError(f"the kind of a report is a letter and up to 63 of a-z 0-9 _ . -, got {kind!r}")
    if level not in LEVELS:
        raise ValueError(f"the level of a report is one of {', '.join(LEVELS)}, got {level!r}")
    json.dumps(data, allow_nan=False)
    return {"kind": kind, "level": level, "data": data}


def shortened(report: dict[str, Any], times: int = 1) -> dict[str, Any]:
    """The same, with data of at most so many times LIMIT: of a longer one the beginning of its text, and how many bytes it had."""
    cut = report.get("cut")
    text = report["data"] if cut else json.dumps(report["data"], ensure_ascii=False, separators=(",", ":"))
    size = cut or len(text.encode("utf-8", "surrogatepass"))
    if size <= times * LIMIT:
        return report
    return {**report, "data": text[: times * KEPT], "cut": size}
