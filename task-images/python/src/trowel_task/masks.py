"""Secrets in output become `***`."""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

MASK = "***"
# A secret of several lines is masked line by line too; shorter lines (a brace, `---`) say nothing and occur everywhere.
_LEAST_LINE = 4


class Masker:
    """Replaces every secret: as it is, each line of it, and as JSON and repr() would write it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms: set[str] = set()
        for secret in secrets:
            parts = [secret]
            if "\n" in secret:
                parts += [line.strip() for line in secret.splitlines() if len(line.strip()) >= _LEAST_LINE]
            for part in parts:
                forms |= {part, json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1], repr(part)[1:-1]}
        forms = {form for form in forms if form.strip()}
        self.longest = max(map(len, forms), default=0)
        ordered = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        return self._pattern.sub(MASK, text) if self._pattern else text

    def value(self, value: Any) -> Any:
        """The same in every string of a JSON value."""
        if not self._pattern:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return value
