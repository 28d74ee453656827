"""Random failures of a job in S3: requests fail, the process is killed, the job is resumed, until it is done.

Every run cleans a crawl of all formats with `--resume`, its requests failing at random (500, reset, lost answer) and SIGKILL coming at a
random request, then again until a run ends by itself. Its objects have to be those of a local run, byte for byte, and no others, and its
statistics have to count every record once. `make chaos-remote RUNS=40` prints the figures; a seed repeats a run's faults.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from classifier.cli import main as tinsach
from tests.support.remote_crawl import below, cleaned_locally, crawl
from tests.support.s3_server import ENVIRONMENT, FaultyProxy, faulty_proxy, s3_server

KINDS = ("500", "reset", "lost")
SHARE = 0.1  # of requests that fail
LATEST = 60  # requests until a kill: a job without failures makes about that many
ENOUGH = 40  # starts of a job after which something is wrong


def _job(words: list[str]) -> None:
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - of a process that ends
    sys.exit(tinsach(words))


def attempt(processes: Any, words: list[str], proxy: FaultyProxy, requests: int | None) -> int | None:
    """Start a job, and kill it after some requests unless it has ended; return its exit status, None if it was killed."""
    job, before = processes.Process(target=_job, args=(words,)), proxy.seen.total()
    job.start()
    while requests is not None and job.is_alive():
        job.join(0.002)
        if proxy.seen.total() - before >= requests:
            job.kill()
    job.join()
    return None if job.exitcode == -signal.SIGKILL else int(job.exitcode or 0)


def run(proxy: FaultyProxy, store: Any, processes: Any, seed: int, local: dict[str, bytes], stats: Path) -> Counter[str]:
    """Clean the crawl once through all failures; return what happened.

    Raises:
        SystemExit: an output differs, is missing, or is one too many.
    """
    source, happened = random.Random(seed), Counter[str](runs=1)
    out = f"bao/out-{seed}"
    words = ["clean", "s3://bao/in", "--output-dir", f"s3://{out}", "--resume", "--stats", str(stats)]
    proxy.chance, proxy.failed = (source, SHARE, KINDS), Counter()
    for _ in range(ENOUGH):
        happened["starts"] += 1
        killed = source.random() < 0.7
        status = attempt(processes, words, proxy, source.randint(1, LATEST) if killed else None)
        happened["kills"] += status is None
        happened["ended by an error"] += status not in (None, 0)
        if status == 0:
            break
    else:
        raise SystemExit(f"seed {seed}: not done after {ENOUGH} starts")
    happened.update({f"failed by {kind}": number for kind, number in proxy.failed.items()})
    proxy.chance = None
    if (found := below(store, out)) != local:
        raise SystemExit(f"seed {seed}: differs from the local run in {sorted(dict(found.items() ^ local.items()))}")
    told = json.loads(stats.read_text(encoding="utf-8"))
    if (told["files"], told["records"], told["bad"]) != (len(local), 25, 0):
        raise SystemExit(f"seed {seed}: counted {told}")
    return happened


def main(argv: Sequence[str] | None = None) -> int:
    """Do the runs and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; each further one has the next")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args(argv)
    happened: Counter[str] = Counter()
    start = time.monotonic()
    with TemporaryDirectory() as folder, s3_server() as port, faulty_proxy(port) as proxy:
        os.environ.update(ENVIRONMENT, AWS_ENDPOINT_URL=proxy.url)
        import s3fs

        local, store = cleaned_locally(Path(folder)), s3fs.S3FileSystem(endpoint_url=f"http://127.0.0.1:{port}")
        store.mkdir("bao")
        for name, data in crawl().items():
            store.pipe_file(f"bao/in/{name}", data)
        processes = multiprocessing.get_context("forkserver")  # starts a job in no time, and has no threads of this process
        processes.set_forkserver_preload(["classifier.cli", "classifier.formats.parquet", "classifier.formats.warc", "s3fs", __name__])
        for seed in range(args.seed, args.seed + args.runs):
            happened += run(proxy, store, processes, seed, local, Path(folder) / "stats.json")
            print(f"seed {seed}: {dict(happened)}", file=sys.stderr)
    figures = {**happened, "differences": 0, "seconds": round(time.monotonic() - start)}
    print(json.dumps(figures, indent=2))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
