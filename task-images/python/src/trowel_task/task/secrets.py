"""Secrets in the texts of a task: those that `launch` has found asking for one (`secret_texts`), by their place in the workflow. What came
in as data asks for none, whatever its text looks like."""

from __future__ import annotations

import re

from trowel_task.contract.errors import FAILED, SECRET, TaskError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trowel_task.contract.assignment import Assignment

# Not compiled at once: few hosts need it.
_TEMPLATE = r"\$\{([^{}:]*):([^{}]+)\}"


class Secrets:
    """`values`: by key as stored."""

    def __init__(self, values: Mapping[str, str], assignment: Assignment) -> None:
        self._values = values
        self._texts = assignment.secret_texts
        self._mounts = assignment.secrets_map

    def variable(self, name: str, text: str) -> str:
        """A variable of `_env`, with its secrets. Raises TaskError: Trowel.Secret for a missing one."""
        if self._texts is None:
            return self._old(text)
        pieces = self._texts.get("env", {}).get(name)
        return text if pieces is None else self._joined(pieces)

    def script(self, text: str) -> str:
        """The same for the script of sh>."""
        if self._texts is None:
            return self._old(text)
        pieces = self._texts.get("script")
        return text if pieces is None else self._joined(pieces)

    def _joined(self, pieces: list[Any]) -> str:
        return "".join(piece if isinstance(piece, str) else self._value(piece[0], piece[0]) for piece in pieces)

    def _value(self, key: str, shown: str) -> str:
        value = self._values.get(key)
        if value is None:
            raise TaskError(SECRET, f"Secret not found for key: '{shown}'")
        return value

    # Of a host that does not say which texts ask: all that look like it (digdag: UserSecretTemplate, DefaultSecretProvider).

    def _old(self, text: str) -> str:
        return re.sub(_TEMPLATE, self._replace, text) if "${" in text else text

    def _replace(self, match: re.Match[str]) -> str:
        if match[1].strip() != "secret":
            raise TaskError(FAILED, f"Invalid parametrization: '{match[0]}' (config)")
        key = match[2].strip()
        return self._value(self.mounted(key), key)

    def mounted(self, key: str) -> str:
        """The key under which the secret is kept. `secrets_map` renames keys: `{pg: {password: my.other.key}}`."""
        parts = key.split(".")
        scope: Any = self._mounts
        for at, part in enumerate(parts):
            scope = scope.get(part)
            if isinstance(scope, str):
                return ".".join([scope, *parts[at + 1 :]])
            if not isinstance(scope, dict):
                return key  # not renamed, or the deprecated grant `true`
        return key
