"""`sites.toml` files: what they may contain, and the messages for mistakes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from classifier.core.constraints import ANY_LABEL, mark_of
from classifier.errors import InputError
from classifier.labels import Label
from classifier.sites.regex_cost import SEEN_CHARS
from classifier.sites.rule import EVERY_SITE, Rule
from classifier.sites.rules import SiteRules
from tests.support.paths import ROOT

GOOD = """[[rules]]                       # every site
phrase = "Tải ứng dụng"         # matches anywhere in the line
force = "promo"

[[sites."bao-bai-song.vn"]]
regex = "^Xem thêm:? .{0,80}$"
forbid = ["body", "title"]

[[sites."bao-bai-song.vn"]]
phrase = "Góc nhìn"
force = ["body", "title"]
"""
RULES = SiteRules(
    {
        EVERY_SITE: [Rule("tải ứng dụng", None, mark_of([Label.PROMO]), True)],
        "bao-bai-song.vn": [
            Rule(None, "^Xem thêm:? .{0,80}$", ANY_LABEL & ~mark_of([Label.BODY, Label.TITLE]), False),
            Rule("góc nhìn", None, mark_of([Label.BODY, Label.TITLE]), True),
        ],
    }
)


def written(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "sites.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content", [GOOD, GOOD.replace("\n", "\r\n"), "\ufeff" + GOOD, GOOD.replace("bao-bai-song.vn", "WWW.Bao-Bai-Song.vn")]
)
def test_rules_are_read_as_they_are_meant(tmp_path, content):
    assert SiteRules.read(written(tmp_path, content)) == RULES
    assert SiteRules.read(str(written(tmp_path, content))) == RULES


def test_phrases_are_compared_in_nfc_and_folded(tmp_path):
    import unicodedata

    assert SiteRules.read(written(tmp_path, unicodedata.normalize("NFD", GOOD))) == RULES


def test_an_empty_file_has_no_rules(tmp_path):
    assert SiteRules.read(written(tmp_path, "# none yet\n")).at("bao-bai-song.vn") is None


def rule(*lines: str, header: str = "[[rules]]") -> str:
    return "\n".join(["# rules", header, *lines, ""])


A, NAV = 'phrase = "a"', 'force = "nav"'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (rule(A, NAV, 'note = "x"'), r":2: rule 1 of \[\[rules\]\] has an unknown key 'note'"),
        (rule(A, 'regex = "a"', NAV), ":2: .*has both phrase and regex; give exactly one"),
        (rule(NAV), "has neither phrase nor regex"),
        (rule(A), "has neither force nor forbid"),
        (rule(A, NAV, 'forbid = "body"'), "has both force and forbid"),
        (rule(A, 'force = "article"'), "has in force an unknown label 'article'; choose from title, body"),
        (rule(A, 'forbid = ["body", "artcle"]'), "has in forbid an unknown label 'artcle'"),
        (rule(A, "force = []"), "has no label in force; choose from title"),
        (rule(A, "forbid = 3"), r"has forbid = 3; give a label or a list of labels, as in forbid"),
        (rule(A, 'forbid = ["nav", 3]'), "give a label or a list"),
        (rule(A, f"forbid = {[str(label) for label in Label]}"), "forbids all twelve labels"),
        (rule('phrase = ""', NAV), "has an empty phrase"),
        (rule('phrase = " \\u00a0"', NAV), "has an empty phrase"),
        (rule("phrase = 3", NAV), "has phrase = 3; put it in quotes"),
        (rule('phrase = """a\nb"""', NAV), "phrase that cannot match"),
        (rule(f'phrase = "{"a" * (SEEN_CHARS + 1)}"', NAV), "phrase that cannot match"),
        (rule('regex = ""', NAV), "has an empty regex"),
        (rule('regex = "(a"', NAV), r"has a regex '\(a' that is invalid \(missing \)"),
        (rule("regex = '(a+)+$'", NAV), r"regex '\(a\+\)\+\$' that could try more than 2,000,000 ways .* begin it with \^"),
        (rule("regex = '(?=a)'", NAV), "that uses lookarounds"),
        (rule("regex = 'Ảnh|'", NAV), "matches an empty line, and so nearly every line"),
        (rule("regex = '^$'", NAV), "matches an empty line"),
        (rule("regex = '[[a]'", NAV), "that Python warns about .*nested set"),
        (rule(A, NAV, header='[[sites."a.vn"]]'), None),
        (rule(A, "force = 1", header='[[sites."a.vn"]]'), r":2: rule 1 of a\.vn has force = 1"),
        (rule(A, NAV, header="[[sites.a.vn]]"), r'\[sites\."a"\] is not a list of rules; .* in quotes if it has a dot'),
        (rule(A, NAV, header="[[sites]]"), "needs the site's name"),
        (rule(A, NAV, header="[rules]"), r"\[rules\] is not a list of rules; write \[\[rules\]\]"),
        (rule(A, NAV, header='[sites."a.vn"]'), "is not a list of rules; write"),
        (rule(A, NAV, header='[[sites.""]]'), "is not a site name"),
        (rule(A, NAV, header='[[sites."http://"]]'), "is not a site name"),
        (rule(A, NAV, header="[[rule]]"), "unknown key 'rule'; write"),
        ('rules = ["a"]', r"rule 1 of \[\[rules\]\] is not a table"),
        (GOOD + rule(A, NAV, header='[[sites."www.bao-bai-song.vn"]]'), "the same site"),
        (GOOD + rule(A, "force = 1", header='[[sites."bao-bai-song.vn"]]'), r":13: rule 3 of bao-bai-song\.vn has"),
        ("[[rules]\n", r"no TOML: .*\(at line 1"),
        (rule("phrase = a", NAV), r"no TOML: .*\(at line 3"),
        (b"[[rules]]\nphrase = 'caf\xe9'\n", ":2: not UTF-8"),
        (b"\x00\x01", "no TOML"),
        ("x = " + "[" * 5000, "no TOML"),
    ],
)
def test_mistakes_name_file_and_rule_and_the_way_out(tmp_path, content, said):
    path = written(tmp_path, content)
    if said is None:
        assert SiteRules.read(path).at("a.vn")
        return
    with pytest.raises(InputError, match=said) as caught:
        SiteRules.read(path)
    assert str(caught.value).startswith(str(path) + ":")
    assert "\n" not in str(caught.value)
    assert ";" in str(caught.value)


def test_uncertain_line_numbers_are_left_out(tmp_path):
    content = f'rules = [{{{A}, {NAV}}}, {{{A}, force = "x"}}]\n'
    with pytest.raises(InputError, match=r"sites\.toml: rule 2 of \[\["):
        SiteRules.read(written(tmp_path, content))
    content = rule("phrase = '''\n[[rules]]\n'''", NAV)
    with pytest.raises(InputError, match=r"sites\.toml: rule 1 of \[\["):
        SiteRules.read(written(tmp_path, content))


def test_unreadable_files_raise_the_systems_error(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(OSError, match=str(path)):
            SiteRules.read(path)


def test_importing_the_package_loads_no_reader_of_toml():
    code = "import sys, classifier; classifier.SiteRules; print({'tomllib', 'tomli', 'classifier.sites.rules_file'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "set()\n", done.stderr
