"""Every code block of the documentation runs: README, cards, docstrings, and the commands shown in any of them.

A fenced block of a Markdown file is Python, which runs here; commands, which are parsed by the scripts' own parsers and run here
or in the test named in `ELSEWHERE`; or data, which is parsed. What no rule covers fails. Templates of cards are covered by the
card that is made of them, so each of their blocks must stand in it word for word.
"""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from fnmatch import fnmatch

import documentation
import pytest
import yaml
from documentation import ROOT

from kmi.corpus.notation import read_notation
from kmi.writers.dummy_server import DummyServer

# The quickstart takes half a minute on an idle machine.
pytestmark = pytest.mark.timeout(400)
MARKDOWN = documentation.markdown_files()
PACKAGE = sorted((ROOT / "kmi").rglob("*.py"))
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
# Template of a card: the card in the repository. That the card is its template filled in is tested where the card is.
TEMPLATES = {
    "kmi/coder/card_template.md": "model_cards/kmi-coder/README.md",
    "kmi/corpus/cards/dataset.md": "loading_script/README.md",
    "kmi/dialogue_model/card_template.md": "model_cards/kmi-chatbot/README.md",
    "kmi/forecaster/card_template.md": "model_cards/kmi-forecaster/README.md",
}
# Commands that run in this file in full, by how they begin; paths and ports are those of `workshop`.
HERE = (
    "bash scripts/quickstart.sh",
    "accelerate launch scripts/generate_dialogues.py --contexts",
    "python scripts/build_dataset.py --run",
    "python scripts/evaluate_dialogues.py out/",
)
# Blocks and commands that another test runs: (file, what they hold) and the test. The reason stands beside it.
ELSEWHERE = {
    # Also compares what is printed with what the card says is printed.
    ("evaluate_metrics/*/README.md", "evaluate.load("): "tests/metrics/test_modules.py::test_the_cards_example_runs_and_prints_what_it_says",
    # Writers that need a model or minutes; a dry run of each command is made here.
    ("README.md", "--writer local"): "tests/writers/test_local.py::test_waiting_sessions_are_generated_together",
    ("README.md", "--writer chatbot"): "tests/writers/test_chatbot_writer.py::test_with_the_checkpoint_the_same_seed_says_the_same",
    ("README.md", "--opened"): "tests/writers/test_openai_server.py::test_a_model_of_opened_turns_is_given_the_turn_to_continue",
    # Trainings take minutes to hours: the tests train small ones.
    ("README.md", "scripts/train_chatbot.py"): "tests/dialogue_model/test_dialogue_training.py::test_lora_recipes_run_on_a_random_model_of_their_architecture",
    ("model_cards/*/README.md", "scripts/train_forecaster.py"): "tests/scripts/test_train_forecaster.py::test_trains_prints_saves_and_repeats",
    # Fetches AnnoMI; the test converts the same files where they are at hand.
    ("model_cards/*/README.md", "scripts/prepare_annomi.py"): "tests/scripts/test_prepare_annomi.py::test_converts_the_published_files",
    # Serves until it is stopped.
    ("README.md", "python spaces/kmi/app.py"): "tests/space/test_app.py::test_every_tab_opens_has_the_crisis_bar_and_does_not_scroll_sideways",
    # Need the Hub: a stand-in takes its place, and a made-up namespace that of ORG.
    ("README.md", "ORG/kmi"): "tests/publishing/test_publish.py::test_the_readme_s_way_in_from_the_hub_runs",
    ("README.md", "scripts/publish.py --namespace ORG --dry-run"): "tests/publishing/test_publish.py::test_a_dry_run_sends_nothing",
    ("README.md", "scripts/publish.py --namespace ORG --tag"): "tests/publishing/test_publish.py::test_a_run_that_breaks_is_completed_by_the_next",
}
# Commands that no test can run, by how they begin, and why.
NEVER = {
    "bash scripts/test.sh": "runs these tests",
    "vllm serve": "another project's server, for a GPU; see test_the_adapter_that_is_served_is_the_one_trained",
}
SHELL = re.compile(r"[|&;<>$`]")


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def elsewhere(path, text):
    """Keys of `ELSEWHERE` that a block or command belongs to."""
    return [key for key in ELSEWHERE if fnmatch(path, key[0]) and key[1] in text]


def bibtex(text):
    """Reads BibTeX as far as can be wrong in a card: balanced entries that name title, author and year."""
    entries = re.split(r"^(?=@)", text, flags=re.MULTILINE)[1:]
    for entry in entries:
        fields = set(re.findall(r"^\s*(\w+)\s*=", entry, re.MULTILINE))
        if entry.count("{") != entry.count("}") or not re.match(r"@\w+\{[\w:-]+,", entry) or not fields >= {"title", "author", "year"}:
            raise ValueError(f"not a whole entry: {entry.splitlines()[0]}")
    if not entries:
        raise ValueError("no entry")


DATA = {"bibtex": bibtex, "json": json.loads, "yaml": yaml.safe_load, "toml": tomllib.loads, "text": str}


def problems_of_command(path, command):
    """Why a command of a block is not covered, or is wrong."""
    if SHELL.search(command):
        return ["write one plain command a line, or put it into a script of scripts/"]
    if not command.startswith((*HERE, *NEVER)) and not elsewhere(path, command):
        return ["no rule covers this command: add it to HERE, or to ELSEWHERE with the test that runs it (tests/test_documentation.py)"]
    return wrong_options(command)


def wrong_options(command):
    """What the parser of a command's script refuses; arguments shown as `...` are told elsewhere."""
    found = documentation.split_command(command)
    if found is None:
        return []
    script, arguments = found
    if not (ROOT / script).is_file():
        return [f"there is no {script}"]
    if arguments == [documentation.AS_ABOVE] or documentation.parses(script, arguments):
        return []
    return [f"{script} does not take these options; see its --help"]


def problems(path, text):
    """`FILE:LINE: what is wrong` for each block of a Markdown text that is not covered; Python is run by a test of its own."""
    found = []
    for block in documentation.blocks_of(path, text):
        if block.tag == "bash":
            found += [f"{path}:{line}: {command}: {why}" for line, command in documentation.commands_of(block) for why in problems_of_command(path, command)]
        elif block.tag in DATA:
            try:
                DATA[block.tag](block.text)
            except (ValueError, yaml.YAMLError) as error:
                found.append(f"{block.place}: not {block.tag}: {error}")
        elif block.tag != "python":
            found.append(f"{block.place}: a block tagged {block.tag!r}: use python, bash, {', '.join(DATA)}")
    for line, command in documentation.inline_commands(path, text):
        found += [f"{path}:{line}: {command}: {why}" for why in wrong_options(command)]
    lines = documentation.prose(path, text)
    found += [f"{path}:{number + 1}: code that is indented, not fenced" for number in range(1, len(lines)) if not lines[number - 1] and lines[number].startswith("    ")]
    found += [f"{path}:{number}: a fence within a line" for number, line in enumerate(lines, 1) if "```" in line and not documentation.FENCE.match(line)]
    return found


def python_of(path):
    return [block for block in documentation.blocks_of(path, read(path)) if block.tag == "python" and not elsewhere(path, block.text)]


def commands():
    """(file, command) for every command in a block of a Markdown file."""
    blocks = [block for path in MARKDOWN if path not in TEMPLATES for block in documentation.blocks_of(path, read(path)) if block.tag == "bash"]
    return [(block.path, command) for block in blocks for _, command in documentation.commands_of(block)]


def test_the_documentation_is_here():
    assert {"README.md", "loading_script/README.md", "kmi/README.md", "spaces/kmi/README.md", *TEMPLATES, *TEMPLATES.values()} <= set(MARKDOWN)
    assert sum(len(documentation.blocks_of(path, read(path))) for path in MARKDOWN) >= 25


@pytest.mark.parametrize("path", [path for path in MARKDOWN if path not in TEMPLATES])
def test_every_block_is_covered(path, capsys):
    found = problems(path, read(path))
    assert found == [], "\n".join([*found, capsys.readouterr().err])


@pytest.mark.parametrize("path", TEMPLATES)
def test_the_blocks_of_a_template_stand_in_its_card(path):
    """So they run with it. A block may not hold what differs from card to card."""
    in_card = [(block.tag, block.text) for block in documentation.blocks_of(TEMPLATES[path], read(TEMPLATES[path]))]
    assert [(block.tag, block.text) for block in documentation.blocks_of(path, read(path))] == in_card != []


@pytest.mark.parametrize("path", [path for path in MARKDOWN if path not in TEMPLATES and python_of(path)])
def test_python_blocks_run(path, tmp_path):
    done = documentation.run_python(python_of(path), tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]


def paragraphs(files, tag):
    return [block for file in files for block in documentation.docstring_paragraphs(file) if block.tag == tag]


def test_examples_in_docstrings_run(tmp_path):
    examples = paragraphs(PACKAGE, "python")
    assert len(examples) >= 7
    done = documentation.run_python(examples, tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]


def test_commands_in_docstrings_have_options_that_are_there(capsys):
    blocks = paragraphs([*PACKAGE, *SCRIPTS], "bash")
    assert {block.path for block in blocks} >= {str(file.relative_to(ROOT)) for file in SCRIPTS}, "every script shows its command"
    found = [f"{block.path}: {command}: {why}" for block in blocks for _, command in documentation.commands_of(block) for why in wrong_options(command)]
    assert found == [], "\n".join([*found, capsys.readouterr().err])


def test_examples_in_docstrings_have_no_prompts():
    """They stand in indented paragraphs, where they are found and run."""
    assert [file.name for file in [*PACKAGE, *SCRIPTS] if re.search(r"^\s*>>>", file.read_text(encoding="utf-8"), re.MULTILINE)] == []


def test_the_notation_can_be_read_as_it_is_shown():
    (example,) = documentation.docstring_paragraphs(ROOT / "kmi/corpus/notation.py")
    (dialogue,) = read_notation(example.text, where=example.place)
    assert dialogue.turns == 4


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    """A folder that looks like the checkout, where `out/` may be filled; its environment needs no setting up."""
    folder = tmp_path_factory.mktemp("workshop")
    for path in ROOT.iterdir():
        if path.name in ("kmi", "loading_script", "model_cards", "spaces"):
            (folder / path.name).symlink_to(path)
    (folder / "scripts").mkdir()
    for path in (ROOT / "scripts").iterdir():
        (folder / "scripts" / path.name).symlink_to(path)
    (folder / "scripts" / "setup_venv.sh").unlink()
    (folder / "scripts" / "setup_venv.sh").write_text("setup_venv() { :; }\n")
    posts = read("kmi/clients/sample_posts.jsonl").splitlines()
    (folder / "posts.jsonl").write_text("\n".join(posts[:2]), encoding="utf-8")
    # Any chat model; this one is at hand.
    (folder / "my-model").symlink_to(ROOT / "model_cards" / "kmi-chatbot")
    return folder


@pytest.fixture(scope="module")
def quickstart(workshop):
    """What scripts/quickstart.sh printed, run in the workshop; its run becomes out/run, so that what follows goes on from it."""
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "HF_HOME": str(workshop / "hf")}
    done = subprocess.run(["bash", "scripts/quickstart.sh"], cwd=workshop, env=environment, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr[-2000:]
    (workshop / "out" / "run").symlink_to(workshop / "out" / "quickstart" / "run")
    return done.stdout


def test_the_quickstart_runs(quickstart, workshop):
    assert re.search(r"6 simulated sessions; load_dataset\('kmi'\): \d+ dialogues", quickstart)
    assert "6 sessions," in quickstart and "Done." in quickstart
    assert (workshop / "out/quickstart/dataset/README.md").is_file()


@pytest.fixture
def run(workshop, scripted_answers, load_script, monkeypatch):
    """Runs a command's script in this process and in the workshop, beside a model server for those that ask one; gives its exit code."""
    monkeypatch.chdir(workshop)
    for name in ("KMI_API_KEY", "OPENAI_API_KEY", "KMI_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with DummyServer(lambda payload: scripted_answers(payload["messages"]), models=("kmi",)) as server:

        def run(command, *more):
            script, arguments = documentation.split_command(command.replace("http://127.0.0.1:8000/v1", server.url))
            return load_script(script.removeprefix("scripts/").removesuffix(".py")).main([*arguments, *more])

        yield run


def test_commands_run_one_after_another(quickstart, run, capsys):
    here = [command for path, command in commands() if command.startswith(HERE) and not elsewhere(path, command) and documentation.split_command(command)]
    assert len(here) >= 5
    for command in here:
        assert run(command) == 0, f"{command}\n{capsys.readouterr()}"


def test_every_generation_makes_a_dry_run(run, capsys):
    """Reads the posts and makes the writer, also those whose sessions are written in other tests."""
    shown = [command for _, command in commands() if "scripts/generate_dialogues.py" in command]
    assert len(shown) >= 6
    for command in shown:
        assert run(command, "--dry-run") == 0, command
        assert "prompt tokens" in capsys.readouterr().out


def test_the_adapter_that_is_served_is_the_one_trained():
    """The three commands for an open model belong together: base, rank, folder, length and name."""
    shown = [shlex.split(command) for path, command in commands() if path == "README.md"]
    (train,), (serve,), (write,) = ([words for words in shown if mark in words] for mark in ("scripts/train_chatbot.py", "vllm", "--opened"))
    recipe = yaml.safe_load(read(option(train, "--recipe")))
    assert serve[2] == recipe["base"]
    assert int(option(serve, "--max-lora-rank")) == recipe["rank"]
    assert option(serve, "--lora-modules") == f"{option(write, '--model')}={option(train, '--out')}"
    assert int(option(serve, "--max-model-len")) >= recipe["max_tokens"]


def option(words, name):
    return words[words.index(name) + 1]


def test_exceptions_are_needed_and_their_tests_exist():
    texts = [(block.path, block.text) for path in MARKDOWN for block in documentation.blocks_of(path, read(path)) if block.tag == "python"] + commands()
    assert [key for key in ELSEWHERE if not any(key in elsewhere(path, text) for path, text in texts)] == []
    assert [start for start in (*HERE, *NEVER) if not any(command.startswith(start) for _, command in commands())] == []
    for test in ELSEWHERE.values():
        file, _, name = test.partition("::")
        assert name in {node.name for node in ast.walk(ast.parse(read(file))) if isinstance(node, ast.FunctionDef)}, test


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("```\nx\n```", "README.md:4: a block tagged '': use python, bash"),
        ("```perl\nx\n```", "README.md:4: a block tagged 'perl'"),
        ("```python\nx = 1", "README.md:3: a block tagged 'unclosed'"),
        ("~~~~json\n{\n~~~~", "README.md:4: not json: Expecting"),
        ("```yaml\na: [\n```", "README.md:4: not yaml"),
        ("```bibtex\n@misc{a,\n title = {T}, year = {2026}\n}\n```", "README.md:4: not bibtex: not a whole entry: @misc{a,"),
        ("```bash\n# a comment\ncurl http://localhost\n```", "README.md:5: curl http://localhost: no rule covers this command"),
        ("```bash\npython scripts/train_guard.py\n```", "README.md:4: python scripts/train_guard.py: no rule covers"),
        ("```bash\npython scripts/build_dataset.py --run a | tee b\n```", "one plain command a line"),
        ("```bash\npython scripts/build_dataset.py --run a \\\n  --outt b\n```", "README.md:4: python scripts/build_dataset.py --run a --outt b: scripts/build_dataset.py does not take"),
        ("```bash\naccelerate launch scripts/generate_dialogues.py --contexts a\n```", "scripts/generate_dialogues.py does not take"),
        ("Type `python scripts/absent.py`.", "README.md:3: python scripts/absent.py: there is no scripts/absent.py"),
        ("    x = 1", "README.md:3: code that is indented, not fenced"),
        ("> ```python\n> x = 1\n> ```", "README.md:3: a fence within a line"),
    ],
)
def test_what_is_not_covered_is_found(block, said, capsys):
    found = problems("README.md", f"# Made up\n\n{block}\n")
    assert said in found[0]


def test_an_example_that_fails_names_its_line(tmp_path):
    text = "# Made up\n\n```python\nx = 1\n```\n\n```python\nassert x == 1\nassert x == 2\n```\n"
    done = documentation.run_python(documentation.blocks_of("made-up.md", text), tmp_path)
    assert done.returncode == 1 and '"made-up.md", line 9' in done.stderr


def test_an_example_reaches_no_network(tmp_path):
    text = "```python\nimport urllib.request\nurllib.request.urlopen('http://127.0.0.1:9')\n```\n"
    assert "opened a connection" in documentation.run_python(documentation.blocks_of("made-up.md", text), tmp_path).stderr
