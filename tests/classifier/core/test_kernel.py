"""The compiled kernel: the same bits as numpy, whatever the text and however it arrives; and the switch between the two."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import classifier
from classifier.core import kernel, model
from classifier.core.context import context_rows
from classifier.core.features import extract_features
from classifier.core.history import PageState, extract_history, scaled_evidence
from classifier.core.stacked import stacked_rows
from classifier.errors import InputError
from classifier.labels import EVIDENCE
from tests.fuzz import contract, strategies
from tests.support.kernel import compared, needs_kernel, same_bits

slowly = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example])


@needs_kernel
def test_every_reference_has_a_twin_and_the_other_way_round():
    twins = sys.modules["classifier.core._kernel"]
    documented = {name for name, twin in vars(twins).items() if (getattr(twin, "__doc__", "") or "").startswith("Twin of ")}
    assert documented == set(kernel.REFERENCES)


@needs_kernel
def test_all_twins_agree_on_ordinary_pages_in_any_chunks(cleaner, composed_pages):
    with compared() as calls:
        contract.all_calls_agree(cleaner, composed_pages[:6], Random(3))
    assert all(calls.values()), calls


@needs_kernel
@slowly
@given(strategies.randoms, st.integers(1, 4))
def test_all_twins_agree_on_hostile_pages(cleaner, random, count):
    with compared():
        contract.all_calls_agree(cleaner, strategies.pages(random, count), random, calls=2)


@needs_kernel
@slowly
@given(st.lists(st.text(max_size=40).filter(lambda text: text.strip()), min_size=1, max_size=8))
def test_all_twins_agree_on_any_text(cleaner, lines):
    with compared():
        list(cleaner.label_lines(lines))


@needs_kernel
def test_rules_memory_and_threshold_are_the_same(composed_pages, tmp_path):
    path = tmp_path / "sites.toml"
    path.write_text('[[rules]]\nphrase = "Đọc thêm"\nforce = ["related"]\n[[rules]]\nregex = "^- "\nforbid = ["body"]\n', encoding="utf-8")
    results = []
    for on in (True, False):
        with kernel.switched(on):
            cleaner = classifier.load(rules=classifier.SiteRules.read(path), threshold=0.3).remembering(classifier.SiteMemory(2))
            results.append(cleaner.label_pages(composed_pages)[:5])
    same_bits(*results)


@needs_kernel
def test_colliding_hashes_are_told_apart():
    """Chains of equal low bits are walked: the lines below share them all."""
    lines = [f"dòng {number}" for number in range(700)]
    line_features = extract_features(lines)
    hashes = np.arange(700, dtype=np.uint64) // 2 << np.uint64(32)
    line_features = line_features._replace(hashes=np.array((hashes, hashes[::-1])))
    evidence = scaled_evidence(np.full((len(EVIDENCE), 700), -9.0))
    with compared() as calls:
        extract_history(line_features, evidence, np.zeros(700, np.int64), np.arange(700) % 300 == 7, PageState.fresh())
    assert calls["extract_history"] == 1


@pytest.mark.parametrize("kernel_in_use", [False, pytest.param(True, marks=needs_kernel)])
def test_sums_are_exact_so_that_no_order_and_no_blas_changes_a_bit(cleaner, composed_pages, monkeypatch, kernel_in_use):
    """In float64 every sum of a network is exact: what float32 gives is the same, whoever adds, in whatever order, fused or not."""
    seen = []
    for name, rows_of in (("context_scores", context_rows), ("stacked_scores", stacked_rows)):
        scores = getattr(model, name)

        def recorded(buffer, low, high, network, rows_of=rows_of, scores=scores):
            found = scores(buffer, low, high, network)
            seen.append((rows_of(buffer, low, high), network, found))
            return found

        monkeypatch.setattr(model, name, recorded)
    with kernel.switched(kernel_in_use):
        cleaner.label_pages(composed_pages[:3])
    for rows, network, found in seen:
        units = np.maximum(network.hidden.astype(np.float64) @ rows.astype(np.float64) + network.hidden_bias, 0)
        exact = [sum(map(Fraction, network.output[0] * column), Fraction(network.output_bias[0, 0])) for column in units.T[:5]]
        same_bits(found[0, :5], np.array(list(map(float, exact))))
    assert {network for _, network, _ in seen} == {cleaner.model._context, cleaner.model._stacked}


@needs_kernel
def test_threads_share_a_cleaner(cleaner, composed_pages):
    with kernel.switched(True), ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda page: cleaner.label_pages([page]).codes.tolist(), composed_pages * 3))
    with kernel.switched(False):
        assert found == [cleaner.label_pages([page]).codes.tolist() for page in composed_pages] * 3


@needs_kernel
@pytest.mark.parametrize("name", ["line_features", "extract_history", "context_scores", "stacked_scores", "first_scores"])
def test_arrays_that_do_not_fit_together_are_refused(cleaner, composed_pages, name, monkeypatch):
    """The numpy functions never pass such arrays on; should they do so, the kernel must not read beyond their ends."""
    twins, seen = sys.modules["classifier.core._kernel"], []
    twin = getattr(twins, name)
    monkeypatch.setattr(twins, name, lambda *args: (seen.append(args), twin(*args))[1])
    with kernel.switched(True):
        cleaner.label_pages(composed_pages[:1])
    first, *rest = seen[0]
    with pytest.raises((ValueError, TypeError)):
        twin(_shortened(first), *rest)


def _shortened(value):
    """Return an array, or the first array with several lines of a tuple, without its last line."""
    if isinstance(value, np.ndarray):
        return value[:-1]
    names = [name for name in value._fields if isinstance(getattr(value, name), (np.ndarray, tuple))]
    part = getattr(value, names[0])
    return value._replace(**{names[0]: part[..., :-1] if isinstance(part, np.ndarray) else _shortened(part)})


# -- the switch ----------------------------------------------------------------------------------------------------------------


def said(value: str | None) -> subprocess.CompletedProcess[str]:
    environment = {name: text for name, text in os.environ.items() if name != kernel.VARIABLE}
    environment |= {} if value is None else {kernel.VARIABLE: value}
    program = "import classifier; print(classifier.kernel())"
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)


def test_numpy_can_be_demanded():
    assert said("0").stdout == "numpy\n"


@needs_kernel
def test_the_kernel_is_used_where_it_is():
    assert said(None).stdout == said("1").stdout == "compiled\n"


def test_another_value_is_refused():
    assert "TINSACH_KERNEL='2' is neither 0 (numpy) nor 1" in said("2").stderr


def test_without_a_kernel_numpy_computes(monkeypatch, cleaner, sample_page):
    monkeypatch.setitem(sys.modules, "classifier.core._kernel", None)
    monkeypatch.delattr("classifier.core._kernel", raising=False)
    for name in ("_twins", "_chosen"):
        monkeypatch.setattr(kernel, name, None)
    monkeypatch.delenv(kernel.VARIABLE, raising=False)
    assert classifier.kernel() == "numpy"
    assert cleaner.clean_text(sample_page)
    with (
        pytest.raises(InputError, match=r"not installed .* install a C compiler and reinstall tinsach, or unset TINSACH_KERNEL"),
        kernel.switched(True),
    ):
        pass
