"""What a model's manifest says of its held-out pages."""

from __future__ import annotations

import json

from training.learning.dataset import compose_held_out
from training.learning.export import MODELS
from training.scoring.judge import profile


def test_the_shipped_profile_is_that_of_the_held_out_pages():
    """Without training a model again; `make verify-model` compares the whole manifest."""
    assert profile(MODELS, compose_held_out()) == json.loads((MODELS / "vi-news.json").read_bytes())["profile"]
