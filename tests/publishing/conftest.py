"""A small git checkout to publish from, a stand-in for the Hub, and the command as a user runs it."""

import os
import shutil
import subprocess
import sys

import local_hub
import pytest

PUBLISHED = ("kmi", "loading_script", "model_cards", "evaluate_metrics", "spaces", "scripts", "pyproject.toml", "README.md", "LICENSE", "CITATION.cff", ".gitignore")


def git(folder, *arguments):
    """Runs git as a committer of its own."""
    who = ["-c", "user.name=tests", "-c", "user.email=tests@localhost", "-c", "core.quotepath=off"]
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def checkout(repository, tmp_path_factory):
    """A clean clone of what this checkout holds, committed or not."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in git(repository, "ls-files", "-co", "--exclude-standard", "-z", "--", *PUBLISHED).split("\0"):
        if name and (repository / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(repository / name, folder / name)
    git(folder, "init", "-q")
    return folder


@pytest.fixture
def commit(checkout):
    """Commits everything in the checkout."""

    def commit():
        git(checkout, "add", "-A")
        git(checkout, "commit", "-q", "--allow-empty", "-m", "a change")

    return commit


@pytest.fixture(scope="module")
def hub():
    """The stand-in."""
    server = local_hub.LocalHub()
    yield server
    server.close()


@pytest.fixture
def run(hub, checkout, tmp_path):
    """Runs a Python file of the checkout with a fresh cache against the stand-in; returns the finished process."""

    def run(*command, token=local_hub.TOKEN, cwd=None, **environment):
        home = tmp_path / f"home{len(list(tmp_path.iterdir()))}"
        settings = {"HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(home), "HF_HUB_OFFLINE": "0", "PYTHONPATH": str(checkout)}
        settings |= {"HF_TOKEN": token} if token else {}
        inherited = {name: value for name, value in os.environ.items() if name not in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")}
        return subprocess.run(
            [sys.executable, *map(str, command)], cwd=cwd or tmp_path, env={**inherited, **settings, **environment}, capture_output=True, text=True, timeout=200
        )

    return run


@pytest.fixture
def publish(run, checkout, commit):
    """`scripts/publish.py` with these arguments."""
    commit()
    return lambda *arguments, **how: run(checkout / "scripts" / "publish.py", "--namespace", "mi-lab", *arguments, cwd=checkout, **how)
