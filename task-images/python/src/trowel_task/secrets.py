"""`${secret:key}` in `_env` values and sh> text, and `_secrets` mounts (digdag: UserSecretTemplate, DefaultSecretProvider)."""

from __future__ import annotations

import re

from trowel_task.errors import FAILED, SECRET, TaskError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_TEMPLATE = re.compile(r"\$\{([^{}:]*):([^{}]+)\}")


class Secrets:
    """The secrets of one task. `mounts` renames keys: `{pg: {password: my.other.key}}`."""

    def __init__(self, values: Mapping[str, str], mounts: Mapping[str, Any]) -> None:
        self._values = values
        self._mounts = mounts

    def fill(self, text: str) -> str:
        """Raises TaskError: Trowel.Secret for a missing one; TaskFailed for another word before the colon."""
        return _TEMPLATE.sub(self._replace, text) if "${" in text else text

    def _replace(self, match: re.Match[str]) -> str:
        if match[1].strip() != "secret":
            raise TaskError(FAILED, f"Invalid parametrization: '{match[0]}' (config)")
        key = match[2].strip()
        value = self._values.get(self.mounted(key))
        if value is None:
            raise TaskError(SECRET, f"Secret not found for key: '{key}'")
        return value

    def mounted(self, key: str) -> str:
        """The key under which the secret is kept."""
        parts = key.split(".")
        scope: Any = self._mounts
        for at, part in enumerate(parts):
            scope = scope.get(part)
            if isinstance(scope, str):
                return ".".join([scope, *parts[at + 1 :]])
            if not isinstance(scope, dict):
                return key  # not renamed, or the deprecated grant `true`
        return key
