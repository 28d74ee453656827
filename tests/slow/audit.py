"""`make audit`: asks the advisory service about every package that tinsach needs or is developed with, by way of pip-audit.

pip-audit lives in an environment of its own, so that it is no dependency. It reports "no known vulnerabilities" of packages that it
could not ask about as well: `judged` tells the two apart. Exit status 1 only when a vulnerability was found; where the service
cannot be reached, that is said, and is not a failure.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from tests.support.paths import ROOT

__all__ = ["judged", "main"]

FOLDER = ROOT / ".venv-audit"
OURS = {"tinsach", "pip"}  # pip is what the environment was made with, not a dependency


def judged(report: dict[str, Any]) -> tuple[list[str], int]:
    """Return what to print about pip-audit's report, and the exit status."""
    packages = report["dependencies"]
    skipped = [f"{one['name']}: {one['skip_reason']}" for one in packages if "skip_reason" in one]
    found = [
        f"{one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for one in packages
        for hole in one.get("vulns", ())
    ]
    asked = len(packages) - len(skipped)
    if packages and not asked:
        return [
            f"audit: NOT DONE: the advisory service knows none of {len(packages)} packages ({skipped[0]}): run it with PyPI in reach"
        ], 0
    told = [f"audit: {len(found)} vulnerabilities in {asked} packages, {len(skipped)} could not be looked up", *skipped, *found]
    return told, 1 if found else 0


def installed() -> list[str]:
    """Return this environment's packages with their versions."""
    return sorted(f"{one.metadata['Name']}=={one.version}" for one in distributions() if one.metadata["Name"].lower() not in OURS)


def _pip_audit() -> Path:
    """Return the pip-audit of an environment of its own, made on first use."""
    python = FOLDER / "bin" / "python"
    if not python.exists():
        venv.create(FOLDER, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "pip-audit>=2.7"], check=True)
    return FOLDER / "bin" / "pip-audit"


def main() -> int:
    """Audit this environment."""
    try:
        tool = _pip_audit()
    except subprocess.CalledProcessError as error:
        print(f"audit: NOT DONE: pip-audit could not be installed ({error}): run it with PyPI in reach")
        return 0
    wanted = FOLDER / "requirements.txt"
    wanted.write_text("\n".join(installed()) + "\n", encoding="utf-8")
    options = ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--requirement", wanted]
    done = subprocess.run([tool, *options], capture_output=True, text=True)
    try:
        lines, status = judged(json.loads(done.stdout))
    except json.JSONDecodeError:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        lines, status = [f"audit: NOT DONE: pip-audit gave no report ({reason}): run it with the advisory service in reach"], 0
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main())
