"""The built wheel by itself: data, forecaster and prompts travel with it, and nothing of the checkout is needed."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

PROGRAM = """
import kmi
from pathlib import Path
home = Path(kmi.__file__).resolve()
assert {target!r} in str(home), home
dialogues = kmi.load_dataset(split="train")
assert len(dialogues) >= 14 and dialogues[0]["dialogue"][0]["utterance_ko"]
assert len(kmi.load_dataset("utterances", split="train")) > len(dialogues)
assert len(kmi.Forecaster.from_pretrained().forecast([])) == 8
from kmi.corpus.load import shipped_dialogues
from kmi.metrics.coded import from_dialogues
from kmi.metrics.fidelity import fidelity
assert fidelity(from_dialogues(shipped_dialogues())).ratios["reflection_to_question"].value > 0
from kmi.clients.contexts import SAMPLE_POSTS, read_posts
from kmi.clients.cases import cases_for_posts
from kmi.simulation.decision import kmi_policy
from kmi.simulation.director import Director
from kmi.simulation.plan_mode import plan_lines, roll_out
from kmi.simulation.prompting import session_messages
packet = roll_out(Director(cases_for_posts(read_posts(SAMPLE_POSTS), 0)[0], kmi.Forecaster.from_pretrained(), kmi_policy))
assert packet.case.id in session_messages(packet.case, plan_lines(packet))[1]["content"]
import asyncio
from kmi.chatbot import ChatSession
from kmi.writers import make_writer
session = ChatSession(make_writer("retrieval"))
assert asyncio.run(session.respond("담배를 끊고 싶은데 자꾸 실패해요.")).text
assert "109" in asyncio.run(session.respond("죽고 싶어요")).text
print("whole")
"""


# Tests of what the wheel carries, none of which looks at the checkout.
TESTS = ("test_codes.py", "test_dialogue.py", "test_quiet.py", "metrics/test_fidelity.py", "forecaster/test_forecaster_api.py")


@pytest.fixture(scope="module")
def wheel(repository, tmp_path_factory):
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(repository)]
    subprocess.run(build, check=True, capture_output=True, timeout=100)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Python of a fresh virtual environment with the wheel in it. It borrows this environment's libraries, but not its KMI: paths of a
    .pth file are taken without the .pth files in them, by which an editable KMI would come along."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, symlinks=True, with_pip=False)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=100)
    return folder / "bin" / "python"


def in_venv(python, *command, cwd, **how):
    """Runs Python of the fresh environment away from the checkout; `-P` keeps the folder it stands in out of its path."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"HF_HOME": str(cwd / "hf"), "HF_HUB_OFFLINE": "1"}
    return subprocess.run([python, "-P", *command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=180, **how)


@pytest.mark.timeout(240)
def test_the_wheel_works_from_an_empty_folder(installed, tmp_path):
    done = in_venv(installed, "-c", PROGRAM.format(target=str(installed.parents[1])), cwd=tmp_path)
    assert done.returncode == 0 and "whole" in done.stdout, done.stderr[-2000:]


@pytest.mark.timeout(240)
def test_tests_pass_with_the_installed_wheel(installed, repository, tmp_path):
    files = [str(repository / "tests" / name) for name in TESTS]
    done = in_venv(installed, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(repository), *files, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_wheel_is_small_enough_and_carries_what_it_should(wheel):
    assert wheel.stat().st_size < 60e6
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"kmi/_bundle/models/{name}/model.safetensors" for name in ("kmi-forecaster", "kmi-coder")} <= names
    assert {"kmi/chatbot/guard_weights.safetensors", "kmi/_bundle/dataset/kmi/data/dialogues/train-00000-of-00001.parquet"} <= names
    assert not any("kmi-chatbot" in name or name.startswith("tests/") for name in names)


def test_the_wheel_carries_no_card_that_points_outside_it(wheel):
    with zipfile.ZipFile(wheel) as file:
        assert "kmi/README.md" not in file.namelist()
        assert "../loading_script" not in file.read("kmi/_bundle/dataset/kmi/README.md").decode("utf-8")


def test_a_checkpoint_that_does_not_travel_says_where_it_may_be(installed, tmp_path):
    program = "from kmi.dialogue_model.model import DialogueModel\ntry: DialogueModel.from_pretrained()\nexcept ValueError as error: print(error)"
    done = in_venv(installed, "-c", program, cwd=tmp_path)
    assert "Expected kmi-chatbot in the installed package, in a checkout or in the Hub's cache, found it in none." in done.stdout, done.stderr[-2000:]
