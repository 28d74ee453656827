"""`Recipe`, the picklable specification of a cleaner for other processes and machines."""

from __future__ import annotations

import copy
import pickle

import pytest

import classifier
from classifier.errors import ModelError
from tests.support import tiny_model


def test_equal_arguments_give_equal_recipes_and_one_cleaner(composed_pages):
    one, other = classifier.load(keep="title,body").recipe, classifier.load(keep=["body", "title"]).recipe
    assert one == other
    assert pickle.dumps(one) == pickle.dumps(other)
    assert len(pickle.dumps(one)) < 500
    assert pickle.loads(pickle.dumps(one)).cleaner() is one.cleaner()
    assert one != classifier.load(keep="title").recipe != classifier.load(keep="title", threshold=0.5).recipe


def test_a_recipe_keeps_its_options(composed_pages):
    options = {"keep": "caption,body", "threshold": 0.7}
    assert list(classifier.load(**options).recipe.cleaner().clean_pages(composed_pages[:3])) == list(
        classifier.load(**options).clean_pages(composed_pages[:3])
    )


def test_a_worker_with_another_model_or_release_refuses(tmp_path):
    recipe = classifier.load(tiny_model.tiny(tmp_path)).recipe
    assert recipe.path == str(tmp_path.resolve() / "vi-news.npz")
    assert recipe.cleaner()
    for other in (
        recipe._replace(release="0.0.0"),
        recipe._replace(arrays_sha256="0" * 64),
        classifier.load().recipe._replace(arrays_sha256=recipe.arrays_sha256),
    ):
        with pytest.raises(ModelError, match="on every machine"):
            other.cleaner()


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda cleaner: pickle.loads(pickle.dumps(cleaner))])
def test_a_cleaner_that_has_been_used_can_be_copied(sample_page, copied):
    cleaner = classifier.load()
    clean = cleaner.clean_text(sample_page)
    assert copied(cleaner).clean_text(sample_page) == clean
