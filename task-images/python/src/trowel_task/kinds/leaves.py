"""Small objects that JSON has no form for, as leaves of a JSON value: `{"trowel:leaf": KIND, "text": TEXT, …}`. A template and sh> see
the text; the next Python task gets the same object, of which the further keys say what the text does not. docs/protocol.md, "Values".

Types are known by their names, so that nothing is imported that the task has not imported itself.
"""

from __future__ import annotations

import sys

from trowel_task.contract.wire import LEAF, Mark
from trowel_task.kinds.unkept import Unkept, package

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Leaf = dict[str, Any]


def encode(value: Any) -> Mark | None:
    """The leaf of an object, or None if it has none (of those with objects inside: exact.py). Raises Unkept for one that only looks like
    such an object."""
    kind = type(value)
    made = _ENCODERS.get(f"{package(kind)}.{kind.__qualname__}")
    if made is not None:
        name, encoder = made
        return Mark({LEAF: name, **encoder(value)})
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic) and value.dtype.char != "O":
        return Mark({LEAF: "numpy", **_numpy(value)})
    return None


def knows(leaf: Leaf) -> bool:
    return leaf[LEAF] in _DECODERS


def decode(leaf: Leaf) -> Any:
    """Raises ValueError for a kind that this version does not know."""
    decoder = _DECODERS.get(leaf[LEAF])
    if decoder is None:
        raise ValueError(f"cannot read a stored value of kind {leaf[LEAF]!r}")
    return decoder(leaf)


# Numbers


def _float(value: float) -> Leaf:
    """NaN and infinities, by JavaScript's names. The sign of a NaN is not kept."""
    return {"text": "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"}


def _complex(value: complex) -> Leaf:
    return {"text": str(value), "parts": [repr(value.real), repr(value.imag)]}


def _decimal(leaf: Leaf) -> Any:
    import decimal

    return decimal.Decimal(leaf["text"])


def _uuid(leaf: Leaf) -> Any:
    import uuid

    return uuid.UUID(leaf["text"])


def _fraction(leaf: Leaf) -> Any:
    import fractions

    return fractions.Fraction(leaf["text"])


# Dates and times


def zone_of(zone: Any) -> Leaf:
    """How a tzinfo is found again. Raises Unkept for one that has no name."""
    if zone is None:
        return {}
    kind = type(zone)
    if kind.__module__ == "datetime":
        offset = zone.utcoffset(None)
        name = zone.tzname(None)
        seconds = offset.total_seconds()
        return {"offset": seconds} if name == type(zone)(offset).tzname(None) else {"offset": seconds, "name": name}
    if package(kind) == "zoneinfo" and zone.key:
        return {"zone": zone.key}
    if package(kind) == "pytz" and getattr(zone, "zone", None):
        return {"pytz": zone.zone}
    if package(kind) == "pytz" and kind.__name__ == "_FixedOffset":
        return {"pytz": int(zone.utcoffset(None).total_seconds() // 60)}
    raise Unkept(zone, f"its time zone is a {kind.__module__}.{kind.__qualname__}")


def zone_from(leaf: Leaf) -> Any:
    if "zone" in leaf:
        import zoneinfo

        return zoneinfo.ZoneInfo(leaf["zone"])
    if "pytz" in leaf:
        import pytz

        return pytz.timezone(leaf["pytz"]) if isinstance(leaf["pytz"], str) else pytz.FixedOffset(leaf["pytz"])
    if "offset" not in leaf:
        return None
    import datetime

    offset = datetime.timedelta(seconds=leaf["offset"])
    if not offset and "name" not in leaf:
        return datetime.timezone.utc
    return datetime.timezone(offset, leaf["name"]) if "name" in leaf else datetime.timezone(offset)


def _datetime(value: Any) -> Leaf:
    zone = value.tzinfo
    out = {"text": value.isoformat(), **zone_of(zone)}
    if "pytz" in out and zone is not None:
        # An instance of pytz's is the zone at one offset.
        out["at"] = value.utcoffset().total_seconds()
    return {**out, "fold": 1} if value.fold else out


def _read_datetime(leaf: Leaf) -> Any:
    import datetime

    zone = zone_from(leaf)
    read = datetime.datetime.fromisoformat(leaf["text"])
    if "at" in leaf:
        made = zone.normalize(read)
        return made if made.replace(tzinfo=None) == read.replace(tzinfo=None) else read.replace(tzinfo=zone)
    return read.replace(tzinfo=zone, fold=leaf.get("fold", 0))


def _time(value: Any) -> Leaf:
    out = {"text": value.isoformat(), **zone_of(value.tzinfo)}
    return {**out, "fold": 1} if value.fold else out


def _read_time(leaf: Leaf) -> Any:
    import datetime

    return datetime.time.fromisoformat(leaf["text"]).replace(tzinfo=zone_from(leaf), fold=leaf.get("fold", 0))


def _read_date(leaf: Leaf) -> Any:
    import datetime

    return datetime.date.fromisoformat(leaf["text"])


def _timedelta(value: Any) -> Leaf:
    return {"text": str(value), "parts": [value.days, value.seconds, value.microseconds]}


def _read_timedelta(leaf: Leaf) -> Any:
    import datetime

    return datetime.timedelta(*leaf["parts"])


# numpy and pandas


def _numpy(value: Any) -> Leaf:
    """A numpy scalar that is not a plain number or text: its dtype and bytes."""
    import base64

    from numpy.lib import format as npy

    dtype = value.dtype
    if dtype.hasobject or npy.descr_to_dtype(npy.dtype_to_descr(dtype)) != dtype:
        raise Unkept(value, f"its dtype is {dtype}")
    return {"text": str(value), "dtype": npy.dtype_to_descr(dtype), "data": base64.b64encode(value.tobytes()).decode("ascii")}


def _read_numpy(leaf: Leaf) -> Any:
    import base64

    import numpy
    from numpy.lib import format as npy

    dtype = npy.descr_to_dtype(_tuples(leaf["dtype"]))
    return numpy.frombuffer(base64.b64decode(leaf["data"]), dtype)[0] if dtype.itemsize else numpy.zeros(1, dtype)[0]


def _tuples(descr: Any) -> Any:
    """numpy's description of a structured type has tuples within lists, of which JSON has made lists."""
    if not isinstance(descr, list):
        return descr
    return [tuple(tuple(part) if i == 2 else _tuples(part) for i, part in enumerate(field)) for field in descr]


def _timestamp(value: Any) -> Leaf:
    unit = getattr(value, "unit", "ns")
    count = value.asm8.view("i8")
    return {"text": value.isoformat(), "count": int(count), "unit": unit, **zone_of(value.tzinfo), **({"fold": 1} if value.fold else {})}


def _read_timestamp(leaf: Leaf) -> Any:
    import numpy
    import pandas

    made = pandas.Timestamp(numpy.datetime64(leaf["count"], leaf["unit"]))
    zone = zone_from(leaf)
    made = made if zone is None else made.tz_localize("UTC").tz_convert(zone)
    return made.replace(fold=1) if leaf.get("fold") and not made.fold else made


def _duration(value: Any) -> Leaf:
    return {"text": str(value), "count": int(value.asm8.view("i8")), "unit": getattr(value, "unit", "ns")}


def _read_duration(leaf: Leaf) -> Any:
    import numpy
    import pandas

    return pandas.Timedelta(numpy.timedelta64(leaf["count"], leaf["unit"]))


def _period(value: Any) -> Leaf:
    return {"text": str(value), "count": int(value.ordinal), "unit": value.freqstr}


def _read_period(leaf: Leaf) -> Any:
    import pandas

    return pandas.Period(ordinal=leaf["count"], freq=leaf["unit"])


def _read_missing(leaf: Leaf) -> Any:
    import pandas

    return pandas.NaT if leaf["text"] == "NaT" else pandas.NA


def _text(value: Any) -> Leaf:
    return {"text": str(value)}


def _iso(value: Any) -> Leaf:
    return {"text": value.isoformat()}


# By the first part of the module and the name: pandas has moved its types within it.
_ENCODERS: dict[str, tuple[str, Callable[[Any], Leaf]]] = {
    "builtins.float": ("float", _float),
    "builtins.complex": ("complex", _complex),
    "datetime.date": ("date", _iso),
    "datetime.datetime": ("datetime", _datetime),
    "datetime.time": ("time", _time),
    "datetime.timedelta": ("timedelta", _timedelta),
    "decimal.Decimal": ("decimal", _text),
    "fractions.Fraction": ("fraction", _text),
    "uuid.UUID": ("uuid", _text),
    "pandas.Timestamp": ("timestamp", _timestamp),
    "pandas.Timedelta": ("duration", _duration),
    "pandas.Period": ("period", _period),
    "pandas.NaTType": ("missing", _text),
    "pandas.NAType": ("missing", _text),
}

_DECODERS: dict[str, Callable[[Leaf], Any]] = {
    "float": lambda leaf: float(leaf["text"]),
    "complex": lambda leaf: complex(*map(float, leaf["parts"])),
    "date": _read_date,
    "datetime": _read_datetime,
    "time": _read_time,
    "timedelta": _read_timedelta,
    "decimal": _decimal,
    "fraction": _fraction,
    "uuid": _uuid,
    "numpy": _read_numpy,
    "timestamp": _read_timestamp,
    "duration": _read_duration,
    "period": _read_period,
    "missing": _read_missing,
}
