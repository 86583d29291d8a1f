"""numpy arrays as .npy files."""

from __future__ import annotations

from trowel_task.kinds.unkept import Unkept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

OBJECTS = "it contains Python objects (dtype object): .tolist(), or .astype(...) with a dtype of numpy's own"


def write(array: Any, file: BinaryIO) -> None:
    """Shape, dtype, byte order and memory order are kept. Raises Unkept for what the format would change."""
    import numpy
    from numpy.lib import format as npy

    dtype = array.dtype
    if dtype.char == "O":
        raise Unkept(array, OBJECTS, advised=True)
    try:
        read = npy.descr_to_dtype(npy.dtype_to_descr(dtype))
        same = read == dtype and read.type is dtype.type and not dtype.hasobject and dtype.metadata is None
    except (ValueError, TypeError):
        same = False
    if not same:
        raise Unkept(array, f"a .npy file has no form of its dtype {dtype!r}: .astype(...) with a dtype of numpy's own", advised=True)
    numpy.save(file, array, allow_pickle=False)


def read(file: BinaryIO) -> Any:
    import numpy

    try:
        # A structured type of some hundred fields is described by more text than numpy reads unasked.
        return numpy.load(file, allow_pickle=False, max_header_size=1 << 24)
    except TypeError:  # numpy before 1.24
        return numpy.load(file, allow_pickle=False)


def save(array: Any, path: str) -> dict[str, Any]:
    with open(path, "wb") as file:
        write(array, file)
    return {}


def load(path: str) -> Any:
    with open(path, "rb") as file:
        return read(file)
