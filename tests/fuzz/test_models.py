"""Randomly changed model files, for a few seconds; `make fuzz` runs longer."""

from __future__ import annotations

from random import Random

from tests.fuzz.models import changed_model_is_refused_or_sound


def test_a_changed_model_is_refused_or_sound(tmp_path):
    refused = sum(changed_model_is_refused_or_sound(tmp_path, Random(seed)) for seed in range(600))
    assert 300 < refused < 600  # both outcomes occur
