import math
from types import SimpleNamespace

import numpy as np
import pytest

import classifier
from classifier.io.notices import without_warnings
from classifier.labels import DEFAULT_KEEP, LABELS, Label
from classifier.record.confidence import LEAST, SIGNS, Confidence, page_confidences, page_signs

CODES = {label.value: code for code, label in enumerate(LABELS)} | {"-": -1}


def pages(*of_pages: list[tuple[str, int, float, float]]) -> classifier.Labels:
    """Return pages of lines, each with its label, length, probability of being kept and of being a caption."""
    rows = [row for page in of_pages for row in page]
    names, lengths, keep, captions = map(list, zip(*rows))
    codes = np.array([CODES[name] for name in names], np.int8)
    kept = np.isin(codes, [CODES["title"], CODES["body"]])
    offsets = np.cumsum([0, *map(len, of_pages)])
    lines = ["x" * length for length in lengths]
    return classifier.Labels(
        codes, np.array(keep), kept, np.array(keep), codes, offsets, lines, codes, codes, caption_probabilities=np.array(captions, float)
    )


def model(**confidence: object) -> SimpleNamespace:
    return SimpleNamespace(manifest={"confidence": confidence} if confidence else {})


ONES = dict.fromkeys(SIGNS, 1.0)


def test_signs_worked_out_by_hand():
    first = [("title", 4, 1.0, 0), ("body", 6, 0.85, 0.1), ("-", 3, 0.0, 0), ("nav", 5, 0.3, 0.0), ("caption", 9, 0.2, 0.7)]
    found = page_signs(pages(first, [("nav", 5, 0.0, 0.0)], [("body", 8, 0.5, 0.25)]), DEFAULT_KEEP)
    # kept: 10 and 8 characters. A caption that is kept is no loss; where captions are wanted, their probability is in that of being kept.
    assert found[:, 0] == pytest.approx([0.05 * 6 / 10, (5 + 9) / 10])
    assert np.isnan(found[:, 1]).all()
    assert found[:, 2] == pytest.approx([0.25, 8 / 8])
    assert page_signs(pages([("body", 8, 0.5, 0.25)]), DEFAULT_KEEP | {Label.CAPTION})[0] == pytest.approx(0.5)


def test_expected_f1_worked_out_by_hand():
    confidence = Confidence((1.0, 0.0), 0.0)
    assert confidence.expected(np.array([[0.1, 0.0], [0.5, 0.5]])) == pytest.approx([1 / (1 + 0.1), 1 / (1 + LEAST)])


def test_a_page_of_which_nothing_is_kept_has_no_confidence():
    assert page_confidences(model(**ONES, bias=0.0), pages([("nav", 5, 0.4, 0.0)]), DEFAULT_KEEP).tolist() == [0.0]


def test_every_coefficient_of_the_shipped_model_lowers_confidence():
    found = Confidence.of(classifier.load().model)
    assert min(found.weights) > 0
    assert found.as_json() == classifier.load().model.manifest["confidence"]


@pytest.mark.parametrize(
    ("confidence", "message"),
    [
        ({}, "cannot tell how good a page is; retrain it"),
        (ONES, "of another version"),
        ({**ONES, "bias": "x"}, "of another version"),
        ({**ONES, "bias": math.nan}, "not finite"),
    ],
)
def test_a_model_without_sound_coefficients_is_refused(confidence, message):
    with pytest.raises(classifier.ModelError, match=message):
        Confidence.of(model(**confidence))


def test_confidence_does_not_depend_on_the_batch():
    cleaner = classifier.load()
    lead = "Sáng 4/3, ba lò gốm đầu tiên của làng được nhóm lửa sau hai năm nguội lạnh."
    article = f"Làng gốm bên sông đỏ lửa trở lại\n07:15 | 04/03/2025\n{lead}\n"
    texts = [article, "Trang chủ\nThời sự\n", article + "Đọc nhiều\nGiá vàng tăng phiên thứ năm\n", ""]
    with without_warnings():
        together = cleaner.label_pages(texts)
        alone = [float(page_confidences(cleaner.model, cleaner.label_pages([text]), cleaner.keep)[0]) for text in texts]
        by_page = [float(page_confidences(cleaner.model, page, cleaner.keep)[0]) for page in together.pages()]
    found = page_confidences(cleaner.model, together, cleaner.keep).tolist()
    assert found == alone == by_page
    assert 0 == found[3] <= found[1] < found[0] <= 1
