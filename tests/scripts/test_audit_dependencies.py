"""The audit tells what was not checked; pip-audit itself is not run, its databases are on the network."""

import json
import subprocess

import pytest

from kmi.errors import ConfigError

CLEAN = {"name": "a", "version": "1", "vulns": []}
SKIPPED = {"name": "kmi", "skip_reason": "Dependency not found on PyPI"}
VULNERABLE = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"], "aliases": [], "description": ""}]}


@pytest.fixture
def audit(load_script, monkeypatch):
    """Runs the script beside a pip-audit that prints what is given."""
    module = load_script("audit_dependencies")

    def run(stdout, stderr=""):
        monkeypatch.setattr(module.subprocess, "run", lambda *args, **options: subprocess.CompletedProcess(args, 0, stdout, stderr))
        return module.main([])

    return run


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([CLEAN], 0, "1 packages checked, 0 vulnerable, 0 NOT CHECKED"),
        ([CLEAN, SKIPPED], 1, "1 packages checked, 0 vulnerable, 1 NOT CHECKED\nnot checked: kmi"),
        ([CLEAN, VULNERABLE], 1, "b 2: PYSEC-1, mended in 2.1\n2 packages checked, 1 vulnerable"),
        ([], 1, "0 packages checked"),
    ],
)
def test_only_what_was_checked_counts_as_clean(audit, capsys, packages, code, said):
    assert audit(json.dumps({"dependencies": packages, "fixes": []})) == code
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("stderr", "words"),
    [("/usr/bin/python: No module named pip_audit", "pip install pip-audit"), ("ERROR: Failed to resolve 'pypi.org'", "where the network is"), ("", "got: nothing")],
)
def test_no_report_is_not_a_clean_bill(audit, stderr, words):
    with pytest.raises(ConfigError, match=f"Nothing was checked.*{words}"):
        audit("", stderr)
