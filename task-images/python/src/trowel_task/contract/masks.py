"""Secrets in output become `***`: as they are, and escaped or encoded as texts commonly are (lib/expression/mask.ts, which says more)."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

MASK = "***"
# Characters of a secret, and of a line of one: a line such as `{` or `---` is no secret and is everywhere.
_LEAST = 3
_LEAST_LINE = 4
# Bytes; the base64 of shorter secrets is in other texts too.
_LEAST_BASE64 = 6

_AS_IT_IS = re.compile(r"[A-Za-z0-9_.-]")
_NAMED = {'"': "quot", "'": "apos", "&": "amp", "<": "lt", ">": "gt", "\u00a0": "nbsp"}
_LETTERS = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
# In any form. Escaped once, a character has one before it, escaped twice three.
_BACKSLASH = r"(?:\\|%(?:25)?5[cC]|&#(?:92|[xX]5[cC]);)"
_BEFORE = _BACKSLASH + "{1,4}"
# Characters that one of a secret may have become.
_LONGEST_FORM = 40


_made: dict[frozenset[str], Masker] = {}


def masker_of(secrets: Iterable[str]) -> Masker:
    """One for many tasks with the same secrets."""
    key = frozenset(secrets)
    if key not in _made:
        _made.clear()
        _made[key] = Masker(key)
    return _made[key]


class Masker:
    """Replaces every secret: as it is, each line of it, and in all the forms of both."""

    def __init__(self, secrets: Iterable[str]) -> None:
        secrets = list(secrets)
        parts = sorted({part for secret in secrets for part in _parts(secret)}, key=len, reverse=True)
        # Characters of the longest form.
        self.longest = max((sum(1 if _AS_IT_IS.match(c) else _LONGEST_FORM for c in part) for part in parts), default=0)
        self.longest = max([self.longest, *(2 * len(part.encode("utf-8", "surrogatepass")) for part in parts)])
        # A line by itself is hardly ever encoded.
        encoded = sorted({text for secret in secrets for text in _base64(secret.strip())}, key=len, reverse=True)
        self._texts = parts
        self._encoded = encoded
        # Of these at least one is in whatever the pattern matches: most texts have none, and looking for them is much faster.
        self._anchors = list(dict.fromkeys(_longest_run(text) for text in [*parts, *encoded]))
        self._pattern: re.Pattern[str] | None = None

    def text(self, text: str) -> str:
        if not any(anchor in text for anchor in self._anchors):
            return text
        if self._pattern is None:
            encoded = [text.replace("/", "[/_]").replace("+", "[+-]") for text in self._encoded]
            self._pattern = re.compile("|".join([*encoded, *map(_pattern, self._texts)]))
        return self._pattern.sub(MASK, text)

    def value(self, value: Any) -> Any:
        """The same in every string of a JSON value, names of its fields too."""
        if not self._anchors:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return value


def _parts(secret: str) -> list[str]:
    if len(secret.strip()) < _LEAST:
        return []
    lines = re.split("\r\n|\r|\n", secret) if "\n" in secret or "\r" in secret else []
    return [secret, secret.strip(), *(line for each in lines if len(line := each.strip()) >= _LEAST_LINE)]


def _pattern(part: str) -> str:
    return "".join(map(_character, re.findall(r"\\+|[^\\]", part)))


def _longest_run(text: str) -> str:
    """Of characters that are the same in every form."""
    return max(re.findall(r"[A-Za-z0-9.]+", text), key=len, default="")


def _character(character: str) -> str:
    """One character, or several backslashes, in all forms. Letters, digits and what is never escaped have one."""
    if _AS_IT_IS.match(character):
        return re.escape(character)
    if character[0] == "\\":
        return f"{_BACKSLASH}{{{len(character)},{4 * len(character)}}}"
    code = ord(character)
    units = character.encode("utf-16-be", "surrogatepass")
    forms = [
        re.escape(character),
        *([r"\+"] if character == " " else []),
        *(["\r\n", f"{_BEFORE}r{_BEFORE}n", "%0[dD]%0[aA]"] if character == "\n" else []),
        "".join(f"%(?:25)?{_hexadecimal(byte, 2)}" for byte in character.encode("utf-8", "replace")),
        "".join(f"{_BEFORE}u{_hexadecimal(units[at] << 8 | units[at + 1], 4)}" for at in range(0, len(units), 2)),
        f"{_BEFORE}U{_hexadecimal(code, 8)}",
        *([f"{_BEFORE}x{_hexadecimal(code, 2)}"] if code < 256 else []),
        *(["".join(f"{_BEFORE}x{_hexadecimal(byte, 2)}" for byte in character.encode("utf-8", "replace"))] if code > 127 else []),
        *([f"'{_BACKSLASH}''", "'\"'\"'"] if character == "'" else []),
        *([f"{_BEFORE}{_LETTERS[character]}"] if character in _LETTERS else []),
        f"&#0{{0,5}}{code};",
        f"&#[xX]0{{0,5}}{_hexadecimal(code, 1)};",
        *([f"&{_NAMED[character]};"] if character in _NAMED else []),
    ]
    return f"{_BACKSLASH}{{0,3}}(?:{'|'.join(forms)})"


def _hexadecimal(code: int, digits: int) -> str:
    """Digits of either case."""
    return re.sub("[a-f]", lambda match: f"[{match[0]}{match[0].upper()}]", f"{code:0{digits}x}")


def _base64(part: str) -> list[str]:
    """A value begins at one of three places in a group of three bytes; characters that it shares with other bytes are left out."""
    from binascii import b2a_base64

    data = part.encode("utf-8", "replace")
    if len(data) < _LEAST_BASE64:
        return []
    patterns = []
    for before in range(3):
        text = b2a_base64(bytes(before) + data, newline=False).decode("ascii").rstrip("=")
        whole = len(text) if (before + len(data)) % 3 == 0 else len(text) - 1
        patterns.append(text[before + 1 if before else 0 : whole])
    return patterns
