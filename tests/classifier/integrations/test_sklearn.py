"""LineCleaner as a scikit-learn estimator: those of `check_estimator`'s checks that apply to text, and a Pipeline."""

from __future__ import annotations

import pickle

import pytest

import classifier
from classifier.errors import InputError

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

from classifier.integrations.sklearn import LineCleaner

pytestmark = pytest.mark.engines

# For estimators of text, check_estimator stops after cloning; these are its other checks that need no numeric input.
CHECKS = (
    "check_estimator_cloneable",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_mixin_order",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_do_not_raise_errors_in_init_or_set_params",
)


def test_check_estimator():
    with pytest.warns(SkipTestWarning, match="requires input"):
        estimator_checks.check_estimator(LineCleaner())


@pytest.mark.parametrize("name", CHECKS)
def test_checks_that_need_no_numbers(name):
    getattr(estimator_checks, name)("LineCleaner", LineCleaner())


def test_it_gives_what_clean_pages_gives(cleaner, composed_pages):
    want = list(cleaner.clean_pages(composed_pages))
    assert LineCleaner().fit(composed_pages).transform(composed_pages) == want
    assert LineCleaner(n_jobs=2).fit_transform(iter(composed_pages)) == want


def test_parameters_are_those_of_load(composed_pages):
    options = {"keep": ("caption", "body"), "threshold": 0.7}
    want = list(classifier.load(**options).clean_pages(composed_pages))
    assert clone(LineCleaner(**options)).fit_transform(composed_pages) == want
    with pytest.raises(InputError, match="artcle"):
        LineCleaner(keep="artcle").fit(composed_pages)


def test_it_has_to_be_fitted_and_pickles_small(composed_pages):
    with pytest.raises(NotFittedError):
        LineCleaner().transform(composed_pages)
    fitted = LineCleaner().fit([])
    copy = pickle.dumps(fitted)
    assert len(copy) < 1000  # the model is not pickled
    assert pickle.loads(copy).transform(composed_pages) == fitted.transform(composed_pages)


@pytest.mark.parametrize(("pages", "message"), [("một trang", r"\[page\]"), ([None], "row 0 .* is None"), ([b"bytes"], "decode")])
def test_misuse_is_refused(pages, message):
    with pytest.raises(InputError, match=message):
        LineCleaner().fit_transform(pages)


def test_n_jobs_is_the_jobs_of_clean_pages(cleaner, composed_pages):
    want = list(cleaner.clean_pages(composed_pages[:3]))
    for jobs in (None, 1, -1):
        assert LineCleaner(n_jobs=jobs).fit_transform(composed_pages[:3]) == want
    with pytest.raises(InputError) as ours:
        LineCleaner(n_jobs=0).fit([])
    with pytest.raises(InputError) as theirs:
        cleaner.clean_pages([], jobs=0)
    assert str(ours.value) == str(theirs.value)


def test_a_frame_gives_its_only_column_and_never_the_names_of_its_columns(cleaner, composed_pages):
    pandas = pytest.importorskip("pandas")
    want = list(cleaner.clean_pages(composed_pages))
    frame = pandas.DataFrame({"text": composed_pages}, index=range(7, 7 + len(composed_pages)))
    for pages in (frame, frame["text"], frame[["text"]].to_numpy(), frame["text"].to_numpy(), frame.astype("string"), frame["text"].array):
        assert LineCleaner().fit_transform(pages) == want
    with pytest.raises(InputError, match=r"a DataFrame of 2 columns \(id, text\); name the column that holds them: frame\['text'\]"):
        LineCleaner().fit_transform(frame.assign(id=1)[["id", "text"]])
    for missing, shown in ((None, "None"), (float("nan"), "NaN"), (pandas.NA, "NAType"), (pandas.NaT, "NaTType")):
        series = pandas.Series(["một", "hai", missing], dtype=object)
        with pytest.raises(InputError, match=rf"row 2 of the pages \(counted from 0\) is {shown}, not text \(str\); leave missing"):
            LineCleaner().fit_transform(series)


def test_it_is_a_step_of_a_column_transformer(cleaner, composed_pages):
    pandas = pytest.importorskip("pandas")
    from sklearn.compose import ColumnTransformer

    frame = pandas.DataFrame({"text": composed_pages, "number": range(len(composed_pages))})
    for columns in ("text", ["text"]):
        step = make_pipeline(LineCleaner(), TfidfVectorizer())
        found = ColumnTransformer([("article", step, columns)]).fit_transform(frame)
        assert found.shape[0] == len(frame)


def test_a_pipeline_with_a_grid_search_over_what_to_keep(composed_pages):
    wanted = [number % 2 for number in range(len(composed_pages))]
    pipeline = make_pipeline(LineCleaner(), TfidfVectorizer(), LogisticRegression())
    search = GridSearchCV(pipeline, {"linecleaner__keep": ["title,body", "title"]}, cv=2).fit(composed_pages, wanted)
    assert set(search.predict(composed_pages)) <= {0, 1}
    kept = search.best_estimator_[0].transform(composed_pages)
    assert set(TfidfVectorizer().fit(kept).vocabulary_) == set(search.best_estimator_[1].vocabulary_)
