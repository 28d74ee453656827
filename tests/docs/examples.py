"""Runs the documentation's examples as a reader would: Python saved to a file and started as a script, commands in a shell.

Each runs in a process of its own, with a folder of the test's choice as its working directory and this checkout installed.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.paths import ROOT

__all__ = ["SETTINGS", "blocks", "commands", "run_python", "run_shell"]

SETTINGS = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
BIN = str(Path(sys.executable).parent)  # of the environment that the tests run in; first in PATH, as if it were activated


def blocks(kind: str, text: str) -> list[str]:
    """Return the fenced code blocks of a kind."""
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def commands(text: str) -> list[str]:
    """Return the commands of the shell blocks, except those that install something."""
    return [line for block in blocks("sh", text) for line in block.splitlines() if line and not line.startswith("pip ")]


def run_python(
    example: str, folder: Path, settings: Mapping[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Save a Python example verbatim as a file in a folder, and run it there.

    The script leads a process group of its own, so that at a timeout the workers that it has started end with it.

    Raises:
        TimeoutExpired: it runs for longer than `timeout` seconds.
    """
    script = folder / "example.py"
    script.write_text(example, encoding="utf-8")
    environment = {**os.environ, **SETTINGS, "PATH": f"{BIN}:{os.environ['PATH']}", **(settings or {})}
    with subprocess.Popen(
        [sys.executable, script.name], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, encoding="utf-8", start_new_session=True,
    ) as process:  # fmt: skip
        try:
            out, errors = process.communicate(timeout=timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, errors)


def run_shell(lines: list[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run commands in a folder, where `tinsach` is this checkout's, until one fails."""
    script = f'tinsach() {{ {shlex.quote(sys.executable)} -m classifier "$@"; }}\nset -eo pipefail\n' + "\n".join(lines)
    environment = {**SETTINGS, "PATH": "/usr/bin:/bin"}
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, env=environment)
