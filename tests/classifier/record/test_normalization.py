"""Normalised characters: composed letters, plain spaces, and nothing that a reader cannot see."""

from __future__ import annotations

from classifier.record.normalization import normalized


def test_invisible_characters_of_all_planes_are_left_out():
    assert normalized("La\u0300ng\u200b g\ufe0f\U000e0041\u3164\uffa0\ufff9ốm 漢 😀") == "Làng gốm 漢 😀"
