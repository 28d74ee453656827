"""Spark with two executor JVMs and Ray with two nodes: a worker and the driver are killed, and the job gives what it should."""

from __future__ import annotations

import json

import pytest

import classifier
from classifier.integrations.folder import clean_folder, folder_job
from tests.support.clusters import BROKEN, SparkCluster, ray_cluster, result, write_input

pytestmark = pytest.mark.clusters
SIZE, COPIES = 100_000, 36  # so many that no machine is done before the driver is killed


@pytest.fixture
def folder(tmp_path, composed_pages):
    write_input(tmp_path, composed_pages, COPIES)
    return tmp_path


@pytest.fixture
def wanted(folder):
    """The job as it is without an engine."""
    job = folder_job(str(folder / "in"), str(folder / "wanted"), on_error="quarantine")
    clean_folder(job, lambda task, splits: [task(split) for split in splits] and None, split_size=SIZE)
    return result(folder / "wanted")


@pytest.fixture(params=["pyspark", "ray"])
def cluster(request):
    pytest.importorskip(request.param)
    if request.param == "pyspark":
        yield SparkCluster()
    else:
        with ray_cluster() as cluster:
            yield cluster


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_killed_worker_and_a_killed_driver_lose_and_double_nothing(cluster, folder, wanted, composed_pages):
    with cluster.run(folder, "out", SIZE) as first:
        assert first.wait_for(lambda: first.committed >= 4), first.log()
        assert cluster.kill_worker(first, 0)
        lost_at = first.committed
        assert first.wait_for(lambda: first.committed > lost_at), first.log()
        first.kill_driver()
    splits = len(json.loads((folder / "out" / "_tinsach" / "manifest.json").read_bytes())["splits"])
    assert first.committed < splits
    assert not (folder / "out" / "_SUCCESS").exists()
    with cluster.run(folder, "out", SIZE) as second:
        assert second.status() == 1, second.log()
    assert result(folder / "out") == wanted
    texts = [json.loads(line)["text"] for line in wanted["clean"].split(b"\n") if line]
    assert sorted(texts) == sorted([*classifier.load().clean_pages(composed_pages)] * COPIES)
    records = json.loads(wanted["stats"])["records"]
    assert records == len(texts) + wanted["bad"].decode().count(BROKEN) == 33 * COPIES
