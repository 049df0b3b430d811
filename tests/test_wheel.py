"""The built wheel by itself: data, forecaster and prompts travel with it, and nothing of the checkout is needed."""

import os
import subprocess
import sys

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


@pytest.fixture(scope="module")
def installed(repository, tmp_path_factory):
    """Folder with the wheel's content, as pip lays it out; dependencies come from this environment."""
    wheels, target = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(repository)]
    subprocess.run(build, check=True, capture_output=True, timeout=100)
    (wheel,) = wheels.glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target), str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=100)
    return target


def test_the_wheel_works_from_an_empty_folder(installed, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(installed), "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM.format(target=str(installed))],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0 and "whole" in done.stdout, done.stderr[-2000:]


def test_the_wheel_carries_no_card_that_points_outside_it(installed):
    assert not (installed / "kmi" / "README.md").exists()
    assert "../loading_script" not in (installed / "kmi/_bundle/dataset/kmi/README.md").read_text(encoding="utf-8")
