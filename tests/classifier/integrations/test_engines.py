"""Missing engines and missing texts, tested without any engine installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

import classifier
from classifier.errors import InputError, MissingEngine, TinsachError
from classifier.integrations.columns import clean_texts
from tests.support.paths import ROOT

ENGINES = ("sklearn", "datasets", "datatrove", "pyspark", "ray", "pyarrow", "pandas")


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_imports_no_engine():
    code = f"import sys, classifier, classifier.integrations; classifier.load(); print(set({ENGINES}) & set(sys.modules))"
    assert python(code).strip() == "set()"


MISSING = [
    ("sklearn", "import classifier.integrations.sklearn", "sklearn"),
    ("datatrove", "import classifier.integrations.datatrove", "datatrove"),
    ("pyspark", "from classifier.integrations import spark; spark._execute(None, [])", "spark"),
    ("ray", "from classifier.integrations import ray; ray._execute(None, [])", "ray"),
]


@pytest.mark.parametrize(("library", "code", "extra"), MISSING, ids=[row[2] for row in MISSING])
def test_a_missing_engine_is_named_with_the_command_that_installs_it(library, code, extra):
    message = python(
        f"import sys; sys.modules[{library!r}] = None\n"
        f"from classifier import TinsachError\ntry:\n {code}\nexcept TinsachError as error:\n print(type(error).__name__, error)"
    )
    assert message.startswith("MissingEngine ")
    assert f"run: pip install 'tinsach[{extra}]'" in message
    assert issubclass(MissingEngine, ImportError)  # so that `try: import` and importorskip work
    assert issubclass(MissingEngine, TinsachError)


def test_missing_texts_stay_missing(cleaner, composed_pages):
    want, recipe = list(cleaner.clean_pages(composed_pages)), classifier.load().recipe
    assert clean_texts(recipe, [None, *composed_pages, "", None]) == [None, *want, "", None]
    assert clean_texts(recipe, []) == []
    with pytest.raises(InputError, match=r"row 2 of the batch \(counted from 0\) is NaN"):
        clean_texts(recipe, [None, "", float("nan")])
