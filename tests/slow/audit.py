"""Dependency audit (`make audit`): asks for known vulnerabilities of every installed package, by way of pip-audit.

pip-audit has an environment of its own, so it is not a dependency. It reports "no known vulnerabilities" for packages that it could
not look up as well; `judged` tells the two apart. Exit status 1 only if a vulnerability was found: an unreachable service is
reported, but is not a failure.
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
OURS = {"tinsach", "pip"}  # not dependencies: this package, and the tool that made the environment


def judged(report: dict[str, Any]) -> tuple[list[str], int]:
    """Return the lines to print for pip-audit's report, and the exit status."""
    packages = report["dependencies"]
    skipped = [f"{one['name']}: {one['skip_reason']}" for one in packages if "skip_reason" in one]
    found = [
        f"{one['name']} {one['version']}: {hole['id']}, fixed in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for one in packages
        for hole in one.get("vulns", ())
    ]
    asked = len(packages) - len(skipped)
    if packages and not asked:
        return [f"audit: NOT DONE: none of {len(packages)} packages could be looked up ({skipped[0]}); run it where PyPI is reachable"], 0
    summary = [f"audit: {len(found)} vulnerabilities in {asked} packages, {len(skipped)} could not be looked up", *skipped, *found]
    return summary, 1 if found else 0


def installed() -> list[str]:
    """Return this environment's packages with their versions."""
    return sorted(f"{one.metadata['Name']}=={one.version}" for one in distributions() if one.metadata["Name"].lower() not in OURS)


def _pip_audit() -> Path:
    """Return the path of pip-audit, in an environment that is created on first use."""
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
        print(f"audit: NOT DONE: pip-audit could not be installed ({error}); run it where PyPI is reachable")
        return 0
    wanted = FOLDER / "requirements.txt"
    wanted.write_text("\n".join(installed()) + "\n", encoding="utf-8")
    options = ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--requirement", wanted]
    done = subprocess.run([tool, *options], capture_output=True, text=True)
    try:
        lines, status = judged(json.loads(done.stdout))
    except json.JSONDecodeError:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        lines, status = [f"audit: NOT DONE: pip-audit gave no report ({reason}); run it where the advisory service is reachable"], 0
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main())
