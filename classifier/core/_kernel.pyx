"""Compiled twins of numpy functions of `core`: the same names, arguments and results, bit for bit; see `kernel.py`.

Each included file holds the twins of one module. The numpy functions document what is computed; comments here say how it stays the
same. Lengths and indices that come from outside are checked where a twin begins; its loops then hold no Python objects, and run
without the GIL. Whole numbers are exact in any order of addition; other sums are added in numpy's order, and `exp` and `log`
are left to numpy, whose last bits differ from the C library's.
"""

import numpy as np

from libc.math cimport rint, sqrt, floorf
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

include "_kernel_lines.pxi"
include "_kernel_text.pxi"
include "_kernel_scan.pxi"
include "_kernel_features.pxi"
include "_kernel_rows.pxi"
include "_kernel_history.pxi"
include "_kernel_network.pxi"
include "_kernel_decisions.pxi"
