"""Chaos test (`make chaos`): executors, nodes and drivers of jobs on Spark and Ray are killed at random moments.

A job whose driver is killed is resumed, until it ends. Then its clean records, its quarantine and its statistics must be those of the
job without an engine, byte for byte. RUNS= is the number of jobs, half of them on either engine; SEED= repeats the choices, though
not the moments, which depend on the machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from random import Random

from classifier.integrations.folder import clean_folder, folder_job
from tests.support.clusters import Cluster, SparkCluster, ray_cluster, result, write_input
from training.learning.dataset import make_pages

__all__ = ["main"]

SIZE = 100_000  # of a split
KILLS = (1, 2, 3)  # per job
WORKER, DRIVER = "worker", "driver"
FIGURES = ("spark", "spark workers", "spark drivers", "ray", "ray workers", "ray drivers", "records", "runs", "runs that differ", "seconds")


def disturbed(cluster: Cluster, folder: Path, out: str, splits: int, random: Random) -> Counter[str]:
    """Run a job with kills at random moments, resume it until it ends, and return how many of what were killed."""
    moments = sorted(random.randrange(splits - 1) for _ in range(random.choice(KILLS)))
    killed: Counter[str] = Counter()
    with ExitStack() as runs:
        run = runs.enter_context(cluster.run(folder, out, SIZE))
        for moment in moments:
            kind = random.choice((WORKER, DRIVER))
            if not run.wait_for(lambda run=run, moment=moment: run.committed >= moment):
                break
            time.sleep(random.random() * 0.3)
            if kind == WORKER:
                killed[kind] += cluster.kill_worker(run, random.randrange(2))
            elif run.process.poll() is None:
                run.kill_driver()
                killed[kind] += 1
                run = runs.enter_context(cluster.run(folder, out, SIZE))
        if run.status() != 1:  # some records are bad
            raise RuntimeError(f"{out}: ended with status {run.process.returncode}:\n{run.log()}")
    return killed


def main() -> int:
    """Run the jobs, print and record the figures; return 1 if a result differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engines", default="ray,spark", help="comma-separated (default: %(default)s)")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    figures = dict.fromkeys(FIGURES, 0) | {"seed": args.seed}
    with tempfile.TemporaryDirectory(prefix="tinsach-chaos-") as name, ExitStack() as stack:
        folder, started = Path(name), time.monotonic()
        wanted, splits = _undisturbed(folder)
        for engine in args.engines.split(","):
            cluster = stack.enter_context(ray_cluster()) if engine == "ray" else SparkCluster()
            for number in range(args.runs // len(args.engines.split(","))):
                out = f"{engine}-{number}"
                killed = disturbed(cluster, folder, out, splits, Random(f"{args.seed} {out}"))
                differs = [kind for kind, data in result(folder / out).items() if data != wanted[kind]]
                figures["runs"] += 1
                figures["runs that differ"] += bool(differs)
                figures["records"] += json.loads(wanted["stats"])["records"]
                figures[engine] += 1
                for kind, count in killed.items():
                    figures[f"{engine} {kind}s"] += count
                print(f"{out}: killed {dict(killed)}; {'differs: ' + ', '.join(differs) if differs else 'as it should be'}", flush=True)
        figures["seconds"] = round(time.monotonic() - started)
    print(json.dumps(figures))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 1 if figures["runs that differ"] else 0


def _undisturbed(folder: Path) -> tuple[dict[str, bytes], int]:
    """Write the input; return the result of the job without an engine, and its number of splits."""
    pages = ["\n".join(line.text for line in page.lines) for page in make_pages(100, 5, folds=(0,))[0]][:30]
    write_input(folder, pages, 12)
    job = folder_job(str(folder / "in"), str(folder / "wanted"), on_error="quarantine")
    report, _ = clean_folder(job, lambda task, splits: [task(split) for split in splits] and None, split_size=SIZE)
    return result(folder / "wanted"), report["splits"]


if __name__ == "__main__":
    sys.exit(main())
