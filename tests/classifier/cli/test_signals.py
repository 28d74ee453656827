"""Signals that end a command: raised as one exception, also when they arrive where exceptions are dropped."""

from __future__ import annotations

import signal
import sys
from importlib import import_module

import pytest

from classifier.cli.signals import Stopped, stoppable

# What the initialisation of a Cython module does with every exception.
DROPS_EXCEPTIONS = """
import signal
try:
    signal.raise_signal({number})
    sum([])
except BaseException:
    pass
finished = True
"""


@pytest.fixture(autouse=True)
def unhandled():
    """The signals as a new process has them, whatever the process that runs the tests inherited."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_during_an_import_is_raised_after_it(tmp_path, monkeypatch, number, status):
    (tmp_path / "drops_exceptions.py").write_text(DROPS_EXCEPTIONS.format(number=int(number)))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Stopped) as stopped, stoppable():
        import_module("drops_exceptions")
    assert stopped.value.status == status
    assert sys.modules.pop("drops_exceptions").finished


def test_a_signal_elsewhere_is_raised_at_once():
    with pytest.raises(Stopped), stoppable():
        signal.raise_signal(signal.SIGTERM)


def test_a_command_that_an_import_runs_can_be_stopped(tmp_path, monkeypatch):
    script = "import signal\nfrom classifier.cli.signals import stoppable\nwith stoppable():\n    signal.raise_signal(signal.SIGTERM)\n"
    (tmp_path / "runs_a_command.py").write_text(script)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Stopped):
        import_module("runs_a_command")
