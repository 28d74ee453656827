"""Formats are imported when an input needs them, and never before."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from classifier.formats import registry
from classifier.formats.names import FORMATS, OUTPUTS
from tests.support.paths import ROOT

MODULES = {"text", "json_file", "jsonl", "delimited", "html", "parquet", "warc"}
LIBRARIES = {"csv", "fastwarc", "joblib", "pyarrow", "resiliparse", "scipy", "sklearn", "tqdm", "zstandard"}
INPUTS = {
    "page.txt": ("Trang chủ\n", {"text"}),
    "crawl.jsonl": (json.dumps({"text": "Trang chủ"}) + "\n", {"text", "jsonl"}),
    "crawl.csv": ("id,text\n1,Trang chủ\n", {"text", "delimited", "csv"}),
}


@pytest.mark.parametrize("name", INPUTS)
def test_the_command_line_imports_only_the_format_in_use(tmp_path, name):
    content, needed = INPUTS[name]
    (tmp_path / name).write_text(content, encoding="utf-8")
    code = f"import sys; from classifier.cli import main; assert main(['clean', {name!r}, '--output', 'out']) == 0; print(*sys.modules)"
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    formats = {module.removeprefix("classifier.formats.") for module in loaded} & MODULES
    assert formats | loaded & LIBRARIES == needed


def test_every_format_has_a_module_of_its_own_except_csv_and_tsv():
    modules = [registry._module(form) for form in FORMATS]
    assert {module.__name__.rpartition(".")[2] for module in modules} == MODULES
    assert len(set(modules)) == len(FORMATS) - 1
    for form, module in zip(FORMATS, modules):
        assert form == "text" or callable(module.Reader)  # text is read by `stream.label_blocks`
        assert form in OUTPUTS or callable(module.Writer)
