"""Site profiles: the parts do what they do alone, nothing depends on order or processes, and a changed byte is refused."""

from __future__ import annotations

import base64
import json
import pickle
import zlib

import numpy as np
import pytest

import classifier
from classifier import InputError, ModelError, SiteMemory, SiteProfile, SiteRules
from classifier.core.model_delta import ModelDelta
from classifier.core.model_file import read_model
from classifier.core.sealed_json import sealed
from classifier.jobs.batches import label_by_site
from classifier.sites.profile import FORMAT, FORMAT_VERSION
from tests.support import tiny_model
from tests.support.retrained import retrained_model

SITE = "bao-bai-song.vn"
RULES = '[[sites."bao-bai-song.vn"]]\nphrase = "tải ứng dụng"\nforce = "footer"\n'
OFFER = "Mời bạn đọc đăng ký gói thành viên của Bãi Sông để ủng hộ tòa soạn mỗi tháng."


def pages(sample: str, crafts=("gốm", "giấy", "lụa", "chiếu")) -> list[str]:
    """Return pages of a site that repeats an offer inside its articles."""
    return [sample.replace("Cái khó nằm", f"{OFFER}\nCái khó nằm").replace("gốm", craft) for craft in crafts]


@pytest.fixture
def memory(sample_page) -> SiteMemory:
    memory = SiteMemory()
    classifier.load().at(SITE).label_pages(pages(sample_page), memory=memory)
    return memory


@pytest.fixture(scope="module")
def retrained(tmp_path_factory):
    return retrained_model(tmp_path_factory.mktemp("retrained"))


@pytest.fixture(scope="module")
def delta(retrained) -> ModelDelta:
    return ModelDelta.between(read_model()[:2], read_model(retrained)[:2])


def equal(one, other) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one[:5], other[:5]))


def test_weights_give_the_results_of_the_retrained_model(retrained, delta, composed_pages):
    cleaner, model = classifier.load(profile=SiteProfile.make(delta=delta)), classifier.load(retrained)
    found = cleaner.label_pages(composed_pages)
    assert equal(found, model.label_pages(composed_pages))
    assert not equal(found, classifier.load().label_pages(composed_pages))
    assert cleaner.recipe.arrays_sha256 == model.recipe.arrays_sha256


def test_weights_are_refused_on_another_model(retrained, delta):
    with pytest.raises(ModelError, match="made for another model"):
        classifier.load(retrained, profile=SiteProfile.make(delta=delta))
    assert classifier.load(retrained, profile=SiteProfile.make(SITE, RULES))  # rules and memories fit any model


def test_rules_and_memory_act_as_they_do_alone(memory, sample_page, tmp_path):
    (tmp_path / "sites.toml").write_text(RULES, encoding="utf-8")
    alone = classifier.load(rules=SiteRules.read(tmp_path / "sites.toml")).at(SITE)
    some = pages(sample_page)
    profile = SiteProfile.make(f"https://{SITE}/", RULES, memory)
    want = [alone.label_pages([page], memory=SiteMemory.from_bytes(memory.to_bytes(), "m")) for page in some]
    cleaner = classifier.load(profile=profile)
    assert cleaner.site == SITE
    for page, labels in zip(some, want):
        assert equal(cleaner.label_pages([page]), labels)
    kept = [OFFER in "".join(each.clean_pages(some)) for each in (classifier.load(keep="title,body,promo"), cleaner)]
    assert kept == [True, False]
    assert "footer" in {line.label for line in cleaner.label_lines(sample_page.splitlines()) if "Tải ứng dụng" in line.text}


@pytest.mark.usefixtures("started_workers")
def test_a_profile_counts_nothing_so_order_and_processes_do_not_matter(memory, delta, sample_page):
    profile = SiteProfile.make(SITE, RULES, memory, delta)
    cleaner, some = classifier.load(profile=profile), pages(sample_page)
    first = list(cleaner.clean_pages(some))
    assert list(cleaner.clean_pages(some[::-1]))[::-1] == first
    assert list(cleaner.clean_pages(some, jobs=2)) == first
    assert profile.memory.counted == memory.counted
    assert profile.memory.to_bytes() == memory.to_bytes()


def test_pages_of_other_sites_are_not_judged_by_it(memory, sample_page):
    cleaner, some = classifier.load(profile=SiteProfile.make(SITE, RULES, memory)), pages(sample_page, ("gốm", "gốm"))
    labels = label_by_site(cleaner, some, ["https://bao-khac.vn/1", ""])
    assert equal(next(labels.pages()), next(classifier.load().label_pages(some[:1]).pages()))
    assert not equal(next(labels.pages()), list(labels.pages())[1])


def test_files_and_copies_are_equal(memory, delta, tmp_path):
    profile = SiteProfile.make(SITE, RULES, memory, delta)
    (tmp_path / "site.json").write_bytes(profile.to_bytes())
    read = SiteProfile.read(tmp_path / "site.json")
    assert profile == read == pickle.loads(pickle.dumps(profile))
    assert pickle.loads(pickle.dumps(profile)) is pickle.loads(pickle.dumps(profile))  # workers get it with every piece of their work
    assert hash(profile) == hash(read)
    assert pickle.loads(pickle.dumps(read)).name == str(tmp_path / "site.json")
    assert repr(profile).startswith("<SiteProfile of bao-bai-song.vn: rules <SiteRules: 1 rules")
    assert "profile=<SiteProfile of any site" in repr(classifier.load(profile=SiteProfile.make(rules=RULES)))


def test_a_profile_stays_small(memory, delta):
    assert len(SiteProfile.make(SITE, RULES, memory).to_bytes()) < 100_000
    assert sum(map(len, delta.arrays.values())) < 20_000


def test_the_arguments_are_checked(memory):
    profile = SiteProfile.make(SITE, RULES, memory)
    with pytest.raises(InputError, match="profile takes a SiteProfile, not str"):
        classifier.load(profile="site.json")
    with pytest.raises(InputError, match="a site profile has its own rules"):
        classifier.load(profile=profile, rules=profile.rules)
    with pytest.raises(InputError, match="has a memory of its own"):
        classifier.load(profile=profile).remembering(SiteMemory())
    with pytest.raises(InputError, match="rule 1 of bao-bai-song"):
        SiteProfile.make(rules=RULES.replace("footer", "rao"))
    assert classifier.load(profile=SiteProfile.make(SITE, RULES)).remembering(memory).memory is memory


def test_a_changed_byte_is_refused(memory, delta):
    data = SiteProfile.make(SITE, RULES, memory, delta).to_bytes()
    for place in [*range(0, 200, 7), *range(200, len(data), len(data) // 40), len(data) - 1]:
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(InputError, match=r"site\.json: "):
            SiteProfile(changed, "site.json")


def forged(**fields: object) -> bytes:
    """Return a profile with the right digest, as a forger would make it."""
    empty = {"format": FORMAT, "format_version": FORMAT_VERSION, "site": None, "rules": None, "memory": None, "model": None}
    return sealed(empty | fields)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "damaged, or not a site profile"),
        (b"{}", "not a site profile; tinsach profile PAGES writes one"),
        (forged(format_version=2), "made by another version"),
        (forged(site=3), "damaged, or not a site profile"),
        (forged(memory="AAAA"), "its memory is damaged"),
        (forged(memory=base64.b64encode(zlib.compress(b"no memory")).decode()), r"site\.json \(memory\): damaged"),
        (forged(rules="phrase ="), r"site\.json \(rules\): no TOML"),
        (forged(rules='[[rules]]\nregex = "(a+)+$"\nforce = "promo"'), r"site\.json \(rules\):1: rule 1"),
        (forged(model={"base": 1}), "its weights are not a model delta"),
    ],
)
def test_what_is_no_profile(data, message):
    with pytest.raises((InputError, ModelError), match=message):
        SiteProfile(data, "site.json")


def test_a_memory_that_swells_is_refused_before_it_does():
    bomb = base64.b64encode(zlib.compress(bytes(200 << 20), 9)).decode()
    with tiny_model.allocates_below(64 << 20), pytest.raises(InputError, match="damaged"):
        SiteProfile(forged(memory=bomb), "site.json")


def test_the_file_is_text(memory):
    fields = json.loads(SiteProfile.make(SITE, RULES, memory).to_bytes())
    assert list(fields) == ["format", "format_version", "site", "rules", "memory", "model", "manifest_sha256"]
    assert (fields["site"], fields["rules"], fields["model"]) == (SITE, RULES, None)
