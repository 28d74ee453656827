"""What the integrations share, without any of their libraries: what travels to workers, and what is said when one is missing."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import classifier
from classifier.errors import InputError, MissingEngine, ModelError, TinsachError
from classifier.integrations.recipe import recipe_of
from tests import forge

ROOT = Path(__file__).parents[2]
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
    ("pyspark", "from classifier.integrations import spark; spark._clean_folder(None)", "spark"),
    ("ray", "from classifier.integrations import ray; ray._clean_folder(None)", "ray"),
]


@pytest.mark.parametrize(("library", "code", "extra"), MISSING, ids=[row[2] for row in MISSING])
def test_a_missing_engine_is_named_with_the_command_that_installs_it(library, code, extra):
    told = python(
        f"import sys; sys.modules[{library!r}] = None\n"
        f"from classifier import TinsachError\ntry:\n {code}\nexcept TinsachError as error:\n print(type(error).__name__, error)"
    )
    assert told.startswith("MissingEngine ")
    assert f"run: pip install 'tinsach[{extra}]'" in told
    assert issubclass(MissingEngine, ImportError)  # so that `try: import` and importorskip work
    assert issubclass(MissingEngine, TinsachError)


def test_equal_arguments_give_equal_recipes_and_one_cleaner(composed_pages):
    one, other = recipe_of(keep="title,body"), recipe_of(keep=["body", "title"])
    assert one == other
    assert pickle.dumps(one) == pickle.dumps(other)
    assert len(pickle.dumps(one)) < 500
    assert pickle.loads(pickle.dumps(one)).cleaner() is one.cleaner()
    assert one != recipe_of(keep="title") != recipe_of(keep="title", threshold=0.5)


def test_a_recipe_cleans_as_clean_pages_does_and_lets_missing_texts_be(cleaner, composed_pages):
    want = list(cleaner.clean_pages(composed_pages))
    assert recipe_of().clean([None, *composed_pages, "", None]) == [None, *want, "", None]
    assert recipe_of().clean([]) == []


def test_a_recipe_keeps_its_options(composed_pages):
    options = {"keep": "caption,body", "threshold": 0.7}
    assert recipe_of(**options).clean(composed_pages[:3]) == list(classifier.load(**options).clean_pages(composed_pages[:3]))


def test_a_worker_with_another_model_or_release_refuses(tmp_path):
    recipe = recipe_of(forge.tiny(tmp_path))
    assert recipe.path == str(tmp_path.resolve() / "vi-news.npz")
    assert recipe.cleaner()
    for other in (recipe._replace(release="0.0.0"), recipe._replace(digest="0" * 64), recipe_of()._replace(digest=recipe.digest)):
        with pytest.raises(ModelError, match="on every machine"):
            other.cleaner()


def test_wrong_arguments_are_refused_at_once(tmp_path):
    with pytest.raises(InputError, match="artcle"):
        recipe_of(keep="artcle")
    with pytest.raises(ModelError):
        recipe_of(tmp_path)
