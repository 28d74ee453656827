"""Model deltas: bit-identical results, no application to another model, and nothing but errors from damaged ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from classifier.core.model import Model
from classifier.core.model_delta import ModelDelta, _added, _packed, _unpacked
from classifier.core.model_file import ArraySpec, array_specs, read_model
from classifier.errors import ModelError
from tests.support import tiny_model
from tests.support.retrained import retrained_model


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(
        one[name].tobytes() == other[name].tobytes() and one[name].shape == other[name].shape for name in one
    )


@given(
    hnp.arrays(st.sampled_from([np.int32, np.uint64]), (3, 2))
    | hnp.arrays(st.sampled_from([np.float32, np.float64]), (3, 2), elements={"allow_nan": False}),
    st.data(),
)
def test_a_difference_gives_back_every_bit(new, data):
    base = data.draw(hnp.arrays(new.dtype, st.sampled_from([(3, 2), (2, 2)])))
    spec = ArraySpec(new.shape, new.dtype.str)
    unpacked = _unpacked(_packed(new, base), spec)
    assert _added(unpacked, base if base.shape == new.shape else np.zeros(new.shape, new.dtype), spec).tobytes() == new.tobytes()


def test_a_delta_gives_the_other_model_bit_for_bit(tmp_path):
    base, new = read_model(), read_model(retrained_model(tmp_path))
    delta = ModelDelta.from_json(json.loads(json.dumps(ModelDelta.between(base[:2], new[:2]).as_json())), "site.json")
    assert set(delta.arrays) == {"stacked_output", "stacked_output_bias"}
    arrays, manifest = delta.applied(*base[:2])
    assert same(arrays, new[0])
    assert manifest == {name: value for name, value in new[1].items() if name != "manifest_sha256"}


def test_vocabulary_and_hidden_units_may_change(tmp_path, monkeypatch):
    (tmp_path / "new").mkdir()
    base = read_model(tiny_model.tiny(tmp_path))
    arrays = {
        name: np.resize(base[0][name], spec.shape).astype(spec.dtype) for name, spec in array_specs(3, 2, 4).items() if name != "vocabulary"
    }
    arrays["vocabulary"] = np.array([4, 77 << 40, 1], np.uint64)
    path = tiny_model.tiny(tmp_path / "new", arrays)
    tiny_model.seal(path, vocabulary_size=3, stacked_hidden_size=4)
    new = read_model(path)
    delta = ModelDelta.between(base[:2], new[:2])
    assert same(delta.applied(*base[:2])[0], new[0])
    assert Model.load(tmp_path, delta).vocabulary.size == 3


@pytest.fixture
def delta(tmp_path) -> ModelDelta:
    (tmp_path / "new").mkdir()
    random = np.random.default_rng(1).integers(-8, 8, (3, 12)) / 16
    new = read_model(tiny_model.tiny(tmp_path / "new", {"stacked_output": random}))
    return ModelDelta.between(read_model(tiny_model.tiny(tmp_path))[:2], new[:2])


def test_another_model_is_refused(delta, tmp_path):
    assert Model.load(tmp_path, delta)
    for other in (None, tmp_path / "new"):
        with pytest.raises(ModelError, match=r"made for another model .* name that model with --model, or make the profile again"):
            Model.load(other, delta)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"arrays": {}}, "do not match their digest"),
        ({"arrays": {"stacked_output": "AAAA"}}, "'stacked_output' is damaged"),
        ({"arrays": {"stacked_output": "no base64"}}, "'stacked_output' is damaged"),
        ({"weights": "0" * 64}, "do not match their digest"),
        ({"manifest": {}}, "other labels or features"),
        (
            {"manifest": tiny_model.manifest() | {"arrays_sha256": "", "stacked_hidden_size": 1 << 40}},
            "stacked_hidden_size is 1099511627776",
        ),
        ({"manifest": tiny_model.manifest() | {"arrays_sha256": "", "stacked_hidden_size": 5}}, "'stacked_hidden' is missing"),
    ],
)
def test_damage_is_refused(delta, tmp_path, change, message):
    with pytest.raises(ModelError, match=message):
        Model.load(tmp_path, delta._replace(**change))


def test_a_difference_that_swells_is_refused_before_it_does(delta, tmp_path):
    import base64
    import zlib

    bomb = base64.b64encode(zlib.compress(bytes(50 << 20), 9)).decode()
    with tiny_model.allocates_below(4 << 20), pytest.raises(ModelError, match="'stacked_output' is damaged"):
        Model.load(tmp_path, delta._replace(arrays={"stacked_output": bomb}))


@pytest.mark.parametrize("fields", [None, [], {}, {"base": 1}, {"base": "", "manifest": {}, "arrays": {"bias": 1}, "weights": ""}])
def test_what_is_no_delta(fields):
    with pytest.raises(ModelError, match=r"site\.json: its weights are not a model delta"):
        ModelDelta.from_json(fields, Path("site.json"))
