"""Names for the arrays that the other files pass around: they say what is in an array; its shape stands beside it.

To a type checker all are arrays of anything: numpy's own element types change with every release, and a checker that trips
over them checks nothing else.
"""

from typing import Any, TypeAlias

import numpy.typing as npt

__all__ = ["Bools", "Floats", "Hashes", "Int8s", "Int16s", "Ints"]

Bools: TypeAlias = npt.NDArray[Any]  # bool
Floats: TypeAlias = npt.NDArray[Any]  # float64
Hashes: TypeAlias = npt.NDArray[Any]  # uint64
Int8s: TypeAlias = npt.NDArray[Any]  # int8: label codes
Int16s: TypeAlias = npt.NDArray[Any]  # int16: features in sixteenths
Ints: TypeAlias = npt.NDArray[Any]  # int64, or any whole number
