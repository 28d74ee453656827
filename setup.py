"""Build of the optional compiled kernel; everything else about the package is in pyproject.toml.

Without Cython or a C compiler the package is built without the kernel, and computes the same results with numpy.
TINSACH_BUILD=checked builds it with bounds checks, TINSACH_BUILD=sanitized also with the sanitizers of `make fuzz-kernel`, and
TINSACH_BUILD=pure leaves it out.
"""

import os
import sys

from setuptools import Extension, setup

BUILD = os.environ.get("TINSACH_BUILD", "fast")
# Results have to be the same bits as numpy's: no contraction of a * b + c, which rounds once instead of twice. Symbols for debuggers
# would take five times the room of the kernel.
FLAGS = ["/O2", "/fp:precise"] if sys.platform == "win32" else ["-O3", "-g0", "-ffp-contract=off", "-fno-math-errno"]
SANITIZERS = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer", "-g", "-DTINSACH_PLAIN"]
BUILDS = {"fast": [], "checked": ["-O1"], "sanitized": SANITIZERS}


def extensions() -> list[Extension]:
    """Return the kernel, translated to C; an empty list if it is not wanted or cannot be translated."""
    if BUILD == "pure":
        return []
    try:
        from Cython.Build import cythonize
    except ImportError:
        print("tinsach: no Cython, so the kernel is left out: the same results, more slowly", file=sys.stderr)
        return []
    more = BUILDS[BUILD]  # KeyError: see the docstring
    kernel = Extension(
        "classifier.core._kernel",
        ["classifier/core/_kernel.pyx"],
        include_dirs=["classifier/core"],
        depends=["classifier/core/_kernel_network.h"],
        extra_compile_args=FLAGS + more,
        extra_link_args=more,
    )
    checked = BUILD != "fast"
    directives = {"language_level": 3, "boundscheck": checked, "wraparound": False, "initializedcheck": checked, "cdivision": True}
    directives["show_performance_hints"] = False
    (built,) = cythonize([kernel], build_dir="build/kernel", compiler_directives=directives, force=checked, quiet=True)
    built.optional = True  # cythonize would not hand it on
    return [built]


setup(ext_modules=extensions())
