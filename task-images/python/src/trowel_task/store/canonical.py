"""Canonical JSON (RFC 8785) and hashes of values, the same as lib/local computes in TypeScript: docs/protocol.md, "Hashes"."""

from __future__ import annotations

import json
import re
import sys

from trowel_task.contract.wire import REF
from trowel_task.system import digests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SAFE = 2**53


def digest(value: Any) -> str:
    """sha256, as hexadecimal digits, of the canonical JSON of a value."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 4000)  # for what Store takes, 900 levels, however deep the task's function is called
    try:
        text = canonical(value)
    finally:
        sys.setrecursionlimit(limit)
    return digests.of(text.encode("utf-8"))


def canonical(value: Any) -> str:
    """Keys sorted by UTF-16 code units, no spaces, numbers as JavaScript prints them. A value by reference is its sha256."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true" if value else "false"
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return text if text.isascii() else _escaped(text)
    if isinstance(value, int):
        return str(int(value)) if -_SAFE <= value <= _SAFE else number(float(value))
    if isinstance(value, float):
        return number(value)
    if isinstance(value, (list, tuple)):
        # Lists, not map or a generator: Python 3.12 limits how deep its own functions call back, whatever the recursion limit is.
        return "[" + ",".join([canonical(item) for item in value]) + "]"
    if REF in value:
        value = {REF: value.get("sha256", value[REF])}
    keys = sorted(value) if all(map(str.isascii, value)) else sorted(value, key=_utf16)
    return "{" + ",".join([f"{canonical(key)}:{canonical(value[key])}" for key in keys]) + "}"


def _escaped(text: str) -> str:
    """Half a surrogate pair as an escape."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return re.sub("[\ud800-\udfff]", lambda m: f"\\u{ord(m[0]):04x}", text)
    return text


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def number(value: float) -> str:
    """ECMAScript's Number::toString. Both languages print the shortest digits; only the layout differs."""
    if value == 0:
        return "0"
    if value != value or value in (float("inf"), float("-inf")):
        return "null"
    mantissa, _, exponent = f"{value!r}e0".partition("e")
    power = int(exponent.partition("e")[0])
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + power - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    rest = "." + digits[1:] if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"
