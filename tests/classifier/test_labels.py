"""The labels, the public names and the error tree."""

from __future__ import annotations

import pytest

import classifier
from classifier.labels import DEFAULT_KEEP, LABELS, Label, parse_keep


def test_the_twelve_labels_in_order():
    assert " ".join(LABELS) == "title body caption meta nav related most_read media weather comment promo footer"


def test_a_label_equals_its_name_and_has_a_description():
    for label in LABELS:
        assert label == label.value == str(label) == f"{label}"
        assert isinstance(label, str)
        assert label.description
        assert label.example
        assert Label(label.value) is label


def test_examples_get_their_label_in_context(cleaner, sample_page):
    """The shipped model gives these examples their label when they occur on the sample page."""
    found = {line.text: line.label for line in cleaner.label_lines(sample_page.split("\n"))}
    assert found[Label.TITLE.example] == "title"
    assert found[Label.CAPTION.example] == "caption"
    assert found[Label.FOOTER.example] == "footer"


@pytest.mark.parametrize("names", ["title,body", " body , title ", ["title", "body"], DEFAULT_KEEP, (Label.BODY, Label.TITLE)])
def test_parse_keep(names):
    assert parse_keep(names) == {Label.TITLE, Label.BODY}


@pytest.mark.parametrize("names", ["", "titel", "title,,body", []])
def test_parse_keep_refuses(names):
    with pytest.raises(classifier.InputError, match="title, body, caption"):
        parse_keep(names)


def test_public_names():
    assert sorted(classifier.__all__) == sorted(
        [
            "Article",
            "DEFAULT_KEEP",
            "LABELS",
            "Cleaner",
            "InputError",
            "InputWarning",
            "Label",
            "LabelledLine",
            "Labels",
            "ModelError",
            "Paragraph",
            "SiteMemory",
            "SiteProfile",
            "SiteRules",
            "Span",
            "Stream",
            "TinsachError",
            "kernel",
            "load",
            "split_lines",
            "split_pages",
        ]
    )
    for name in classifier.__all__:
        assert getattr(classifier, name).__doc__, name


def test_error_tree():
    for error in (classifier.InputError, classifier.ModelError):
        assert issubclass(error, classifier.TinsachError)
        assert issubclass(error, ValueError)
