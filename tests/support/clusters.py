"""Clusters on one machine whose processes can be killed: Spark with two executor JVMs, Ray with two nodes, and jobs run on them.

A job is the command that users run, with a driver process of its own. Kills are SIGKILL, and hit what the job has started only.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from classifier.integrations.folder import STATS
from classifier.integrations.split_job import DONE, QUARANTINE
from tests.support.paths import ROOT

__all__ = ["BROKEN", "LIGHT_JVM", "Cluster", "Run", "SparkCluster", "ray_cluster", "result", "write_input"]

EXECUTOR = "CoarseGrainedExecutorBackend"
BROKEN = '{"content": "một"}'
SECONDS = 300  # a job takes 10 to 20 on a quiet machine
SPARK = "--master local-cluster[2,1,1024] --conf spark.ui.enabled=false --conf spark.log.level=ERROR pyspark-shell"
LOCAL = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "127.0.0.1"}
LIGHT_JVM = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}  # starts in half the time, which is most of a small job


class Run:
    """A job running on a cluster, in a process group of its own, which is killed on leaving the context."""

    def __init__(self, engine: str, folder: Path, out: str, size: int, settings: dict[str, str]) -> None:
        """Start the driver, which resumes what there is."""
        command = [sys.executable, "-m", f"classifier.integrations.{engine}", "in", out, "--split-size", str(size), "--resume"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable, **settings}
        self.out, self._log = folder / out, folder / f"{out}.log"
        with open(self._log, "ab") as log:
            self.process = subprocess.Popen(
                [*command, "--on-error", "quarantine"], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        for pid, _command in self.members():
            kill(pid)
        self.process.wait()

    @property
    def committed(self) -> int:
        """The number of splits that are committed."""
        return len(list((self.out / DONE).glob("*.json")))

    def wait_for(self, ready: Callable[[], Any]) -> bool:
        """Wait until something is so; return whether it was before the driver ended."""
        end = time.monotonic() + SECONDS
        while self.process.poll() is None and time.monotonic() < end:
            if ready():
                return True
            time.sleep(0.01)
        return False

    def kill_driver(self) -> None:
        """Kill the driver and its JVM; executors are left to notice it."""
        for pid, command in self.members():
            if EXECUTOR not in command:
                kill(pid)
        self.process.wait()

    def status(self) -> int:
        """Wait for the driver and return its exit status."""
        return self.process.wait(SECONDS)

    def log(self) -> str:
        """Return what the drivers of this job have said."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def members(self) -> Iterator[tuple[int, str]]:
        """Yield the processes of the group, with their commands."""
        for path in Path("/proc").glob("[0-9]*"):
            try:
                group = path.joinpath("stat").read_text().rpartition(")")[2].split()[2]
                command = path.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:  # it has ended
                continue
            if int(group) == self.process.pid and command:
                yield int(path.name), command


def kill(pid: int) -> None:
    """Kill a process, unless it has ended."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


class Cluster(Protocol):
    """What runs a job, and can lose a worker."""

    def run(self, folder: Path, out: str, size: int) -> Run:
        """Start a job from `in` below the folder to `out`, or resume it."""

    def kill_worker(self, run: Run, number: int) -> bool:
        """Kill one of the workers of a job, and return whether there was one; the cluster replaces it."""


class SparkCluster:
    """Spark's own cluster of two workers, each with an executor JVM, which every job starts anew."""

    def run(self, folder: Path, out: str, size: int) -> Run:
        """See `Cluster`."""
        return Run("spark", folder, out, size, {"PYSPARK_SUBMIT_ARGS": SPARK, **LOCAL, **LIGHT_JVM})

    def kill_worker(self, run: Run, number: int) -> bool:
        """See `Cluster`."""
        executors = [pid for pid, command in run.members() if EXECUTOR in command]
        if executors:
            kill(executors[number % len(executors)])
        return bool(executors)


class _RayCluster:
    def __init__(self, cluster: Any) -> None:
        self._cluster, self._nodes = cluster, [cluster.add_node(**NODE) for _ in range(2)]

    def run(self, folder: Path, out: str, size: int) -> Run:
        """See `Cluster`."""
        return Run("ray", folder, out, size, {"RAY_ADDRESS": self._cluster.address})

    def kill_worker(self, run: Run, number: int) -> bool:
        """See `Cluster`."""
        self._cluster.remove_node(self._nodes.pop(number % 2), allow_graceful=False)
        self._nodes.append(self._cluster.add_node(**NODE))
        return True


NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80_000_000}


@contextmanager
def ray_cluster() -> Iterator[Cluster]:
    """Run a Ray cluster of a head without cores and two nodes, of a core each."""
    from ray.cluster_utils import Cluster as Nodes

    head = {**NODE, "num_cpus": 0, "include_dashboard": False}
    cluster = Nodes(initialize_head=True, head_node_args=head)
    try:
        yield _RayCluster(cluster)
    finally:
        cluster.shutdown()


def write_input(folder: Path, pages: Sequence[str], copies: int) -> None:
    """Write two files of records, with a bad one after every tenth."""
    (folder / "in").mkdir()
    records = [json.dumps({"id": number, "text": page}, ensure_ascii=False) for number, page in enumerate([*pages] * copies)]
    for number in range(len(records), 0, -10):
        records.insert(number, BROKEN)
    for part in range(2):
        (folder / "in" / f"{part}.jsonl").write_text("".join(record + "\n" for record in records[part::2]), encoding="utf-8")


def result(out: Path) -> dict[str, bytes]:
    """Return the clean records, the bad ones and the statistics of a finished job."""
    clean, bad = (b"".join(path.read_bytes() for path in sorted(folder.glob("part-*"))) for folder in (out, out / QUARANTINE))
    return {"clean": clean, "bad": bad, "stats": (out / STATS).read_bytes()}
