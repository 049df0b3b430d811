"""Looks the installed packages up in the public databases of known vulnerabilities, by pip-audit (`pip install pip-audit`).

    python scripts/audit_dependencies.py

Says of every package whether it was checked: where the database cannot be reached or does not know a package, that is no clean bill, and
the exit code is not 0. Not covered: what a vulnerability means for KMI; whoever runs this judges it.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence

from kmi.errors import ConfigError, run_command

AUDIT = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--timeout", "15"]


def main(argv: Sequence[str] | None = None) -> int:
    """Prints vulnerable and unchecked packages; 0 only if all were checked and none is vulnerable."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args(argv)
    done = subprocess.run(AUDIT, capture_output=True, text=True)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        said = done.stderr.strip().splitlines() or ["nothing"]
        hint = "Install it with: pip install pip-audit" if "No module named pip_audit" in said[-1] else "Run it where the network is."
        raise ConfigError(f"Nothing was checked. Expected a report of pip-audit, got: {said[-1]:.200}", hint) from None
    return tell(packages)


def tell(packages: list[dict]) -> int:
    """Prints what the report says and gives the exit code."""
    unchecked = [package["name"] for package in packages if "skip_reason" in package]
    vulnerable = [package for package in packages if package.get("vulns")]
    for package in vulnerable:
        for found in package["vulns"]:
            print(f"{package['name']} {package['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'no version yet'}")
    print(f"{len(packages) - len(unchecked)} packages checked, {len(vulnerable)} vulnerable, {len(unchecked)} NOT CHECKED")
    if unchecked:
        print(f"not checked: {', '.join(sorted(unchecked))}")
    return 1 if vulnerable or unchecked or not packages else 0


if __name__ == "__main__":
    run_command(main)
