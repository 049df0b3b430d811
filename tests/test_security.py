"""Secrets stay out of all that is written and shown, foreign words out of prompts' own lines, foreign names within their folder.

Beside it: the key and single requests in tests/writers/test_openai_server.py, prompts in tests/simulation/test_prompting.py, damaged files
in tests/test_fuzzing.py. Known vulnerabilities of dependencies: `python scripts/audit_dependencies.py`, which needs the network.
"""

import ast
import asyncio
import io
import logging
import tarfile
import zipfile
from base64 import b64encode
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kmi
from kmi.clients.cases import Case
from kmi.clients.contexts import SAMPLE_POSTS, read_posts
from kmi.corpus.build import build_dataset
from kmi.corpus.convokit import write_convokit
from kmi.corpus.exchange import write_sharegpt, write_trl
from kmi.corpus.readers import read_dialogues
from kmi.corpus.sources import read_run
from kmi.corpus.spreadsheet import write_csv
from kmi.dialogue import ClientProfile, Utterance, write_jsonl
from kmi.dialogue_model.format import prompt_messages
from kmi.errors import DataError, KmiError
from kmi.metrics.coded import from_dialogues
from kmi.metrics.report import report
from kmi.simulation import prompting
from kmi.simulation.decision import Decision
from kmi.simulation.track import ClientStep
from kmi.writers import make_writer
from kmi.writers.base import Cue, NotYet, WriteRequest
from kmi.writers.batch_file import BatchFileWriter, packet_name
from kmi.writers.dummy_server import DummyServer
from kmi.writers.faults import Fault, always, seeded

KEY = "sk-planted-5up3r-s3cr3t"
USER, PASSWORD = "planted-user", "pa:ss/w@rd planted"
SENT = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SECRETS = [KEY, PASSWORD, quote(PASSWORD), quote(PASSWORD, safe=""), SENT]
# Errors of this server repeat what opened it.
ECHOES = (Fault("status", 400), Fault("status", 500), Fault("rate_limit", 0.05))


@pytest.fixture
def generate(load_script, tmp_path, monkeypatch):
    """Runs the script over two posts; gives its exit code or error."""
    for name in ("OPENAI_API_KEY", "KMI_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KMI_API_KEY", KEY)
    for name in ("INITIAL_RETRY_DELAY", "MAX_RETRY_DELAY"):
        monkeypatch.setattr(f"openai._base_client.{name}", 0.01)
    main = load_script("generate_dialogues").main
    posts = tmp_path / "posts.txt"
    posts.write_text("\n".join(post.context for post in read_posts(SAMPLE_POSTS)[:2]), encoding="utf-8")

    def run(name, url, *options):
        try:
            return main(["--contexts", str(posts), "--out", str(tmp_path / name), "--writer", "openai", "--base-url", url, *options])
        except KmiError as error:
            logging.getLogger("test").error("%s %r %s", error, error.problem, error.next_step)
            return error

    return run


def leaks(folder, *shown):
    """Where a secret stands: files, by content or name, and texts."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    found = [str(path) for path in files for secret in SECRETS if secret.encode() in path.read_bytes() or secret in path.name]
    return found + [text for text in shown for secret in SECRETS if secret in text]


@pytest.mark.parametrize("opened_by", ["key", "password"])
def test_no_run_writes_or_shows_what_opened_the_server(generate, scripted_answers, tmp_path, capfd, caplog, opened_by):
    caplog.set_level(logging.DEBUG)
    userinfo = f"{USER}:{quote(PASSWORD, safe='')}@" if opened_by == "password" else ""
    answer = lambda payload: scripted_answers(payload["messages"])  # noqa: E731
    accepted = f"Basic {SENT}" if userinfo else KEY
    with DummyServer(answer, key=accepted, faults=seeded(0.1, seed=3, kinds=ECHOES)) as server:
        url = server.url.replace("://", f"://{userinfo}")
        assert isinstance(generate("faulty", url), int)
        generate("plan", url, "--mode", "plan")
        assert any(item.fault for item in server.chats()) and any(item.fault is None for item in server.chats())
    with DummyServer(answer, key=accepted, faults=always(Fault("status", 400))) as server:
        generate("refused", server.url.replace("://", f"://{userinfo}"))
    told = " ".join(SECRETS if userinfo else [KEY])
    with DummyServer(lambda payload: f"{answer(payload)} {told}", key=accepted) as server:
        generate("told", server.url.replace("://", f"://{userinfo}"))
    assert "***" in (tmp_path / "told/ledger/process-00000.jsonl").read_text(encoding="utf-8")
    with DummyServer(answer, key="another") as server:
        assert "HTTP 401" in str(generate("wrong", server.url.replace("://", f"://{userinfo}")))
    assert "No model server answers" in str(generate("nobody", f"http://{userinfo}127.0.0.1:1/v1"))
    assert isinstance(generate("malformed", f"http://{userinfo}127.0.0.1:x/v1"), KmiError)
    build_dataset(read_run(tmp_path / "plan"), tmp_path / "dataset")
    figures = str(report(from_dialogues(read_run(tmp_path / "plan"))))
    output = capfd.readouterr()
    assert "planned fault" in (tmp_path / "refused/report.json").read_text(encoding="utf-8")  # the echo was there
    assert leaks(tmp_path, output.out, output.err, caplog.text, figures) == []


def test_a_planted_secret_would_be_found(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text(f"key {KEY}")
    assert leaks(tmp_path, f"Basic {SENT}") == [str(tmp_path / "a" / "x"), f"Basic {SENT}"]


MARKS = st.sampled_from(
    ["{", "}", "{0}", "${label}", "$history", "$$", "%s", "%(a)s", "<", ">", "</내담자가 게시판에 올린 글>", "\n", "\r", "\u2028", "\x85", "--- system\n", "system:",
     "상담자:", "내담자: ", "== evoking", "T AD | ", "C change | ", "|", '#{"packet": "x"}', "CTX ", "<|im_start|>", "<|end|>", "[INST]", "<think>", "```", "\\n", "\0"]
)  # fmt: skip
HOSTILE_TEXT = st.lists(MARKS | st.text(max_size=5), max_size=8).map("".join)


def form(messages):
    """Role and number of lines of each message."""
    return [(message["role"], message["content"].count("\n")) for message in messages]


@given(HOSTILE_TEXT, HOSTILE_TEXT, HOSTILE_TEXT)
@settings(max_examples=300, deadline=None)
def test_foreign_words_add_no_line_to_a_prompt_and_open_no_role(post, trait, said):
    def prompts(post, trait, said):
        case = Case("post-1", "가족", post, ClientProfile(occupation=trait), "relapse", "none", 1)
        history = (Utterance("therapist", "네."), Utterance("client", said))
        return [
            *prompting.therapist_messages(case, history, Decision("Affirm", "까닭", ()), "evoking", ""),
            *prompting.client_messages(case, history, ClientStep("neutral"), ""),
            *prompting.session_messages(case, "== engaging\nT OQ"),
        ]

    calm, hostile = prompts("글", "간호사", "네."), prompts(post + "가", trait + "가", said)
    assert form(hostile) == form(calm)
    assert [message["content"].count("<") for message in hostile] == [message["content"].count("<") for message in calm]


@given(HOSTILE_TEXT, HOSTILE_TEXT)
@settings(max_examples=300, deadline=None)
def test_foreign_words_hold_no_mark_of_the_dialogue_model(post, said):
    *given_, opened = prompt_messages([("client", said)], "therapist", "Affirm", post)
    assert "<|" not in "".join(message["content"] for message in given_)
    assert opened["content"] == "<|affirm|>"


# Names that lead elsewhere.

NAMES = ["../../escaped", "/tmp/escaped-kmi", "..", "a/../../b", "nul\0byte", "~/x", "x" * 300, "C:\\x", "a\nb"]


@pytest.fixture
def named(make_dialogue):
    """A dialogue with Korean and English under each hostile id."""
    dialogue = make_dialogue()
    turns = tuple(replace(turn, utterance_en="x") for turn in dialogue.utterances)
    return [replace(dialogue, id=name, utterances=turns) for name in NAMES]


WRITERS = {"jsonl": write_jsonl, "trl": write_trl, "sharegpt": write_sharegpt, "csv": write_csv, "convokit": write_convokit, "dataset": build_dataset}


@pytest.mark.parametrize("name", WRITERS)
def test_ids_of_dialogues_name_no_file(tmp_path, named, name):
    out = tmp_path / "inside" / "out"
    out.parent.mkdir()
    WRITERS[name](named, out)
    written = {path.relative_to(tmp_path).parts[:2] for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {("inside", "out")}
    if name != "dataset":
        assert [dialogue.id for dialogue in read_dialogues(out)] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_ids_of_requests_stay_in_the_batch_folder(tmp_path, name):
    request = WriteRequest(name, ({"role": "user", "content": "글"},), 10, 0.5, 1, Cue("session"))
    assert (tmp_path / packet_name(request)).parent == tmp_path and packet_name(request).endswith(".txt")
    writer = BatchFileWriter(tmp_path / "inside" / "batch")
    with pytest.raises(NotYet):
        asyncio.run(writer.write(request))
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]


@pytest.mark.parametrize("name", [*NAMES, "os", "kmi.writers.base"])
def test_names_choose_among_what_is_there(name):
    for choose in (make_writer, kmi.load_dataset, lambda split: kmi.load_dataset("dialogues", split)):
        with pytest.raises(KmiError, match="Expected"):
            choose(name)


def test_archives_are_not_opened(tmp_path):
    """Nothing is unpacked, so nothing in them can lead elsewhere."""
    with zipfile.ZipFile(tmp_path / "x.jsonl", "w") as archive:
        archive.writestr("../escaped.jsonl", "{}")
    with tarfile.open(tmp_path / "x.txt", "w:gz") as archive:
        info = tarfile.TarInfo("../escaped")
        archive.addfile(info, io.BytesIO())
    before = sorted(tmp_path.parent.iterdir())
    for name in ("x.jsonl", "x.txt"):
        with pytest.raises(DataError, match=name):
            list(read_dialogues(tmp_path / name))
    assert sorted(tmp_path.parent.iterdir()) == before and len(list(tmp_path.iterdir())) == 2


# What code may not do, told from its syntax.

MODULES = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "zipfile", "tarfile"}
CALLS = {
    "eval", "exec", "os.system", "os.popen", "torch.load", "yaml.load", "yaml.load_all", "yaml.full_load", "yaml.unsafe_load", "shutil.unpack_archive",
    "pandas.read_pickle", "tempfile.mktemp",
}  # fmt: skip
OPTIONS = {"shell": True, "allow_pickle": True, "trust_remote_code": True, "weights_only": False, "verify": False}


def forbidden(source):
    """Line and name of what may not be done in a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            yield from ((node.lineno, name) for name in names if name.partition(".")[0] in MODULES)
        if isinstance(node, ast.Call):
            if ast.unparse(node.func) in CALLS:
                yield node.lineno, ast.unparse(node.func)
            for option in node.keywords:
                if option.arg in OPTIONS and isinstance(option.value, ast.Constant) and option.value.value is OPTIONS[option.arg]:
                    yield node.lineno, option.arg


def test_no_code_unpickles_unpacks_or_runs_what_it_reads(repository):
    paths = [path for folder in ("kmi", "scripts", "spaces", "evaluate_metrics") for path in sorted((repository / folder).rglob("*.py"))]
    assert len(paths) > 100
    assert [(str(path), *found) for path in paths for found in forbidden(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    "line",
    ["import pickle", "from tarfile import open", "yaml.load(x)", "exec(x)", "torch.load(x)", "subprocess.run(x, shell=True)", "f(trust_remote_code=True)", "import zipfile as z"],
)
def test_each_forbidden_thing_is_found(line):
    assert list(forbidden(f"x = 1\n{line}"))
    assert not list(forbidden("import json\nyaml.safe_load(x)\nf(shell=False)\nkmi.exec(x)"))
