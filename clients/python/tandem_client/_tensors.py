"""numpy arrays as the wire has them: a datatype's name, a shape, and little-endian bytes in row-major order."""
import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_DTYPES = {"BOOL": "?", "INT8": "<i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8", "UINT8": "<u1",
           "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8"}
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}


@dataclasses.dataclass(frozen=True, eq=False)
class BFloat16:
    """An input of the datatype BF16, which numpy does not have: `values` are rounded to it, to even, when they are
    sent."""

    values: npt.NDArray[np.float32]


Input = Array | BFloat16


def encode(name: str, value: Input) -> tuple[str, tuple[int, ...], bytes]:
    """-> datatype, shape and bytes of the input `name`.

    TypeError for what is no array of numbers or booleans: nothing is converted on the quiet.
    """
    if isinstance(value, BFloat16):
        return "BF16", value.values.shape, _round_to_bfloat16(value.values).tobytes()
    if not isinstance(value, (np.ndarray, np.generic)):
        raise TypeError(f"input {name!r}: expected a numpy array, got {type(value).__name__}")
    array = np.asarray(value)
    dtype = array.dtype.newbyteorder("<")
    if dtype not in _NAMES:
        raise TypeError(f"input {name!r}: arrays of {array.dtype} cannot be sent; what can is {', '.join(_DTYPES)}")
    return _NAMES[dtype], array.shape, array.astype(dtype, copy=False).tobytes()


def decode(name: str, datatype: str, shape: Sequence[int], raw: bytes) -> Array:
    """-> the output `name` as an array that cannot be written to: it is a view of the answer. BF16 comes as float32.

    ValueError when the bytes are not what datatype and shape say.
    """
    stored = "<u2" if datatype == "BF16" else _DTYPES.get(datatype)
    if stored is None:
        raise ValueError(f"output {name!r} has the datatype {datatype!r}, which is none of numbers")
    expected = math.prod(shape) * np.dtype(stored).itemsize
    if len(raw) != expected:
        raise ValueError(f"output {name!r}: {datatype} of shape {list(shape)} takes {expected} bytes, got {len(raw)}")
    array: Array = np.frombuffer(raw, stored).reshape(tuple(shape))
    return (array.astype("<u4") << 16).view("<f4") if datatype == "BF16" else array


def _round_to_bfloat16(values: npt.NDArray[np.float32]) -> Array:
    """The upper halves of the floats, rounded to even; a NaN stays one."""
    floats = np.ascontiguousarray(values, "<f4")
    bits: Array = floats.reshape(-1).view("<u4")
    rounded = (bits + (0x7FFF + ((bits >> 16) & 1))) >> 16
    return np.where(np.isnan(floats.reshape(-1)), (bits >> 16) | 0x40, rounded).astype("<u2")
