"""Every parser against damaged files: what cannot be read is refused by an error of `kmi.errors` on one line that names the file.

A few hundred cases each here; 10,000 each by `pytest -m slow tests/test_fuzzing.py`. What is read in spite of the damage must hold: it
validates, can be written as UTF-8 and comes back the same.
"""

import asyncio
import json
import shutil
from dataclasses import asdict, replace

import pytest
from damage import as_json, as_lines, damaged, damaged_json
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kmi.clients.contexts import read_posts
from kmi.coder.training import Recipe as CoderRecipe
from kmi.corpus import annomi
from kmi.corpus.build import build_dataset
from kmi.corpus.convokit import read_convokit, write_convokit
from kmi.corpus.exchange import read_chat, sharegpt, trl_chat
from kmi.corpus.notation import read_notation, write_notation
from kmi.corpus.readers import read_dialogues, read_reference_json, read_transcript
from kmi.corpus.sources import read_sources
from kmi.corpus.spreadsheet import read_csv, write_csv
from kmi.corpus.tables import read_parquet
from kmi.dialogue import (
    ClientProfile,
    Dialogue,
    Forecast,
    Provenance,
    Utterance,
    json_lines,
    read_jsonl,
    to_line,
    validate,
)
from kmi.dialogue_model.recipe import recipe_from_yaml
from kmi.errors import DataError, KmiError
from kmi.forecaster.training import Recipe as ForecasterRecipe
from kmi.simulation.answers import read_client, read_therapist
from kmi.simulation.ledger import Ledger
from kmi.simulation.plan_mode import Packet, plan_lines
from kmi.simulation.run_folder import RunFolder
from kmi.writers.base import Completion, Cue, NotYet, WriteRequest
from kmi.writers.batch_file import BatchFileWriter, packet_name

sizes = pytest.mark.parametrize("cases", [200, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])

RICH = Dialogue(
    id="family-1",
    category="가족",
    context="명절이 무섭습니다.",
    utterances=(
        Utterance("therapist", "어서 오세요.", "Welcome.", label="General", process="engaging", planned_label="General"),
        Utterance("client", "네, 왔어요.", "I'm here.", talk="neutral", process="engaging", talk_second="sustain"),
        Utterance(
            "therapist", "막히시고요.", "You can't breathe.", label="Simple Reflection", process="evoking", planned_label="Complex Reflection",
            decision_reason="예측 1순위", forecast=(Forecast("Complex Reflection", 0.5), Forecast("Open Question", 0.25)),
        ),
        Utterance("client", "안 가고 싶어요.", "I'd rather not.", talk="change", talk_subtype="desire", corrects_reflection=True, process="evoking"),
    ),
    profile=ClientProfile(occupation="간호사"), arc="misattuned_repair", ending="partial", split="train",
    provenance=Provenance(writer="w", model="m", mode="plan", seed=3, package_version="0.1.0"),
)  # fmt: skip
SHORT = Dialogue("b", "", "", (Utterance("client", "네.", "Yes."), Utterance("therapist", "그래요.", "I see.", label="General")))
RECORDS = [RICH.to_dict(), SHORT.to_dict()]
REFERENCE = [
    {"id": 17, "category": "Ego·Personality", "context": "글", "turns": 2, "dialogue": [
        {"role": "Therapist", "utterance_ko": "어서 오세요.", "utterance_en": "Welcome.", "label": "open question"},
        {"role": "Client", "utterance_ko": "네.", "utterance_en": None, "label": ""},
    ]},
]  # fmt: skip
KMI8 = [{"dialogue_id": 7, "dialogue": [{"speaker": "therapist", "utterance": "How?", "label": "Other"}, {"speaker": "client", "utterance": "No.", "label": "Not Change"}]}]
TABLE = (
    ",".join(annomi.COLUMNS) + "\nhigh,7,smoking,0,therapist,How are you?,1,n/a,n/a,open,question,n/a\n"
    'high,7,smoking,1,client,"I ""smoke"", ok.",1,n/a,n/a,n/a,n/a,sustain\nhigh,7,smoking,1,client,I smoke.,2,n/a,n/a,n/a,n/a,change\n'
).encode()
TRANSCRIPT = "상담자: 어서 오세요.\n내담자: 네.\n안녕하세요.\n\nT: Welcome.\nC: Yes: no.\n".encode()
NOTATION = (write_notation(RICH) + "// a remark\n\n" + '#{"id": "x"}\nT CR>SR | 네 | Yes\nC neutral !fix | 음\n').encode()
CHATS = {"trl": list(trl_chat([RICH, SHORT])), "sharegpt": list(sharegpt([RICH, SHORT]))}
POSTS = [{"context": "술을 마십니다.", "category": "가족", "profile": {"occupation": "간호사", "age_band": "30대"}}, {"context": "글"}]


def outcome(read, path, named):
    """What came of reading: the dialogues, which hold, or None where the file was refused as it should be."""
    try:
        dialogues = list(read(path))
    except KmiError as error:
        refused(error, named)
        return None
    for dialogue in dialogues:
        validate(dialogue)
        line = to_line(dialogue.to_dict())
        line.encode()
        assert Dialogue.from_dict(json.loads(line)) == dialogue
    return dialogues


def refused(error, named):
    assert named in str(error)
    assert str(error).isprintable(), f"it would command the terminal: {error!r}"


def fuzz(strategy, check, cases):
    """Runs `check` on so many cases."""
    health = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    settings(max_examples=cases, deadline=None, suppress_health_check=health)(given(strategy)(check))()


def chat_file(path):
    return read_chat((f"{path}, line {number}", row) for number, row in json_lines(path))


def csv_bytes(tmp_path_factory):
    path = tmp_path_factory.mktemp("valid") / "kmi.csv"
    write_csv([RICH, SHORT], path)
    return path.read_bytes()


FILES = {
    "notation": ("x.txt", damaged([NOTATION]), lambda path: read_notation(path.read_bytes().decode(errors="replace"), where=str(path))),
    "jsonl": ("x.jsonl", damaged([as_lines(RECORDS)]) | damaged_json(RECORDS, as_lines), read_jsonl),
    "reference": ("x.json", damaged([as_json(REFERENCE), as_lines(REFERENCE)]) | damaged_json(REFERENCE, as_json), read_reference_json),
    "annomi_json": ("x.json", damaged([as_json(KMI8)]) | damaged_json(KMI8, as_json) | damaged_json(KMI8, as_lines), annomi.read_annomi_kmi8),
    "annomi_csv": ("x.csv", damaged([TABLE]), annomi.read_annomi_csv),
    "transcript": ("x.txt", damaged([TRANSCRIPT]), read_transcript),
    "trl": ("x.jsonl", damaged([as_lines(CHATS["trl"])]) | damaged_json(CHATS["trl"], as_lines), chat_file),
    "sharegpt": ("x.jsonl", damaged([as_lines(CHATS["sharegpt"])]) | damaged_json(CHATS["sharegpt"], as_lines), chat_file),
}


@sizes
@pytest.mark.parametrize("name", FILES)
def test_a_file_of_dialogues(name, cases, tmp_path):
    file_name, files, read = FILES[name]
    path = tmp_path / file_name

    def check(data):
        path.write_bytes(data)
        outcome(read, path, file_name)
        outcome(read_dialogues, path, file_name)

    fuzz(files, check, cases)


@pytest.mark.parametrize("name", FILES)
def test_the_undamaged_file_is_read(name, tmp_path):
    """Else the damage would prove nothing."""
    valid = {"notation": NOTATION, "jsonl": as_lines(RECORDS), "reference": as_json(REFERENCE), "annomi_json": as_json(KMI8), "annomi_csv": TABLE, "transcript": TRANSCRIPT}
    file_name, _, read = FILES[name]
    path = tmp_path / file_name
    path.write_bytes(valid[name] if name in valid else as_lines(CHATS[name]))
    assert outcome(read, path, file_name) == outcome(read_dialogues, path, file_name) != []


@sizes
def test_a_csv_of_dialogues(cases, tmp_path, tmp_path_factory):
    path = tmp_path / "x.csv"

    def check(data):
        path.write_bytes(data)
        outcome(read_csv, path, "x.csv")
        outcome(read_dialogues, path, "x.csv")

    valid = csv_bytes(tmp_path_factory)
    path.write_bytes(valid)
    assert len(outcome(read_csv, path, "x.csv")) == 2
    fuzz(damaged([valid]), check, cases)


@sizes
def test_a_parquet_file(cases, tmp_path):
    build_dataset([RICH], tmp_path / "valid")
    valid = next((tmp_path / "valid/data/dialogues").glob("*.parquet")).read_bytes()
    path = tmp_path / "x.parquet"

    def check(data):
        path.write_bytes(data)
        outcome(read_parquet, path, "x.parquet")

    fuzz(damaged([valid]), check, cases)


@sizes
def test_a_convokit_corpus(cases, tmp_path):
    write_convokit([RICH, SHORT], tmp_path / "valid")
    valid = {path.name: path.read_bytes() for path in (tmp_path / "valid").iterdir()}
    corpus = tmp_path / "corpus"
    assert len(outcome(read_convokit, tmp_path / "valid", "corpus")) == 2

    def check(change):
        name, data = change
        shutil.rmtree(corpus, ignore_errors=True)
        corpus.mkdir()
        for other, content in valid.items():
            (corpus / other).write_bytes(data if other == name else content)
        outcome(read_convokit, corpus, "corpus")

    utterances = [json.loads(line) for line in valid["utterances.jsonl"].splitlines()]
    changes = [st.tuples(st.just("utterances.jsonl"), damaged([valid["utterances.jsonl"]]) | damaged_json(utterances, as_lines))]
    for name in ("speakers.json", "conversations.json", "corpus.json"):
        changes.append(st.tuples(st.just(name), damaged([valid[name]]) | damaged_json(json.loads(valid[name]), as_json)))
    fuzz(st.one_of(changes), check, cases)


SOURCE = "#" + json.dumps({"packet": "p"}) + "\nT OQ | 무엇이요? | What?\nC change | 네 | Yes\n"
PACKET = {
    "id": "p", "category": "가족", "split": "train", "context": "", "profile": {"occupation": "간호사"}, "arc": "relapse", "ending": "partial",
    "turns": [
        {"role": "therapist", "process": "engaging", "label": "Open Question", "forecast": [{"label": "Open Question", "probability": 0.5}], "reason": "까닭"},
        {"role": "client", "process": "engaging", "talk": "change"},
    ],
    "provenance": {"mode": "plan", "seed": 3, "forecaster_revision": "r"},
}  # fmt: skip
BESIDE = {
    "x.packets.jsonl": [PACKET],
    "x.second.jsonl": [{"id": "p", "codes": [{"turn": 0, "label_second": "General"}, {"turn": 1, "talk_second": "sustain"}]}],
    "x.corrections.jsonl": [{"id": "p", "turn": 1, "field": "talk", "from": "change", "to": "sustain", "reason": "까닭"}],
}


@sizes
def test_a_source_folder(cases, tmp_path):
    folder = tmp_path / "source" / "family"
    folder.mkdir(parents=True)
    valid = {"x.txt": SOURCE.encode(), **{name: as_lines(records) for name, records in BESIDE.items()}}

    def write(name, data):
        for other, content in valid.items():
            (folder / other).write_bytes(data if other == name else content)

    def check(change):
        write(*change)
        outcome(read_sources, folder.parent, "family/x.")

    write("x.txt", SOURCE.encode())
    assert len(outcome(read_sources, folder.parent, "family/x.")) == 1
    changes = [st.tuples(st.just("x.txt"), damaged([SOURCE.encode()]))]
    changes += [st.tuples(st.just(name), damaged([as_lines(records)]) | damaged_json(records, as_lines)) for name, records in BESIDE.items()]
    fuzz(st.one_of(changes), check, cases)


@sizes
def test_a_packet(cases):
    def check(data):
        (record,) = json.loads(data)
        try:
            plan_lines(Packet.from_dict(record))
        except DataError as error:
            refused(error, "packet")

    assert Packet.from_dict(PACKET).case.id == "p"
    fuzz(damaged_json([PACKET], as_json, more=st.just([])), check, cases)


@sizes
@pytest.mark.parametrize("suffix", ["jsonl", "json", "txt"])
def test_posts(suffix, cases, tmp_path):
    path = tmp_path / f"posts.{suffix}"
    dumps = {"jsonl": as_lines, "json": as_json, "txt": lambda posts: "\n".join(str(post) for post in posts).encode(errors="replace")}[suffix]

    def check(data):
        path.write_bytes(data)
        try:
            posts = read_posts(path)
        except DataError as error:
            refused(error, path.name)
        else:
            for post in posts:
                json.dumps(asdict(post), ensure_ascii=False).encode()
                assert post.context.strip()

    path.write_bytes(dumps(POSTS))
    assert read_posts(path)
    fuzz(damaged([dumps(POSTS)]) | damaged_json(POSTS, dumps), check, cases)


RECIPES = {"forecaster": ForecasterRecipe.from_yaml, "coder": CoderRecipe.from_yaml, "chatbot": recipe_from_yaml, "chatbot_lora": recipe_from_yaml}


@sizes
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe(name, cases, tmp_path, repository):
    valid = (repository / f"scripts/recipes/{name}.yaml").read_bytes()
    path = tmp_path / "x.yaml"

    def check(data):
        path.write_bytes(data)
        try:
            recipe = RECIPES[name](path)
        except KmiError as error:
            refused(error, "x.yaml")
        else:
            for field, value in asdict(recipe).items():
                assert isinstance(value, (int, float, str)) and value == value and abs(hash(value)) >= 0, field

    path.write_bytes(valid)
    RECIPES[name](path)
    fuzz(damaged([valid]), check, cases)


def request(number):
    return WriteRequest(f"s/{number}/0", ({"role": "user", "content": "글"},), 10, 0.5, number, Cue("session"))


ANSWERS = [{"key": request(number).key, "id": f"s/{number}/0", "text": "네.", "prompt_tokens": 3, "output_tokens": 1, "model": "m"} for number in range(3)]


@sizes
def test_a_ledger_uses_what_is_whole_and_takes_new_answers(cases, tmp_path):
    path = tmp_path / "process-00000.jsonl"

    def check(data):
        path.write_bytes(data)
        ledger = Ledger(tmp_path)
        for number in range(3):
            found = ledger.get(request(number))
            assert found is None or isinstance(found.text, str) and isinstance(found.model, str)
        ledger.put(request(7), Completion("새 답", 1, 1, "m"))
        ledger.close()
        again = Ledger(tmp_path)
        assert again.get(request(7)) == Completion("새 답", 1, 1, "m")
        again.close()

    fuzz(damaged([as_lines(ANSWERS)]) | damaged_json(ANSWERS, as_lines), check, cases)


SESSIONS = [
    {"index": 0, "id": "b", "status": "finished", "reason": "", "dialogue": SHORT.to_dict()},
    {"index": 1, "id": "c", "status": "failed", "reason": "까닭", "dialogue": None},
]


@sizes
def test_a_run_folder(cases, tmp_path):
    (tmp_path / "sessions").mkdir()
    sessions, config = tmp_path / "sessions" / "process-00000.jsonl", tmp_path / "run.json"

    def check(change):
        sessions_data, config_data = change
        sessions.write_bytes(sessions_data)
        config.write_bytes(config_data)
        folder = RunFolder(tmp_path, {"seed": 1})
        try:
            folder.open()
            over = folder.over()
            assert sum(folder.merge().values()) == len(over)
            outcome(read_jsonl, tmp_path / "dialogues.jsonl", "dialogues.jsonl")
        except KmiError as error:
            refused(error, str(tmp_path))
        finally:
            folder.close()

    whole, settings_ = as_lines(SESSIONS), b'{"seed": 1}'
    fuzz(st.tuples(damaged([whole]) | damaged_json(SESSIONS, as_lines), st.just(settings_)) | st.tuples(st.just(whole), damaged([settings_])), check, cases)


def test_a_failed_session_needs_no_dialogue_field(tmp_path):
    """Found by the slow run."""
    folder = RunFolder(tmp_path, {})
    folder.open()
    (tmp_path / "sessions" / "process-00000.jsonl").write_text('{"index": 1, "id": "c", "status": "failed", "reason": "r"}\n')
    assert folder.merge() == {"finished": 0, "failed": 1}
    folder.close()


def answered(key, text="네."):
    body = {"model": "m", "choices": [{"message": {"role": "assistant", "content": text}}], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}
    return {"custom_id": key, "response": {"status_code": 200, "body": body}, "error": {"code": "x", "message": "y"}}


@sizes
def test_batch_files(cases, tmp_path):
    folder = tmp_path / "batch"
    completions = [answered(request(0).key), {"custom_id": request(1).key, "text": "네."}]
    waiting = [{"custom_id": request(number).key, "method": "POST", "url": "/", "body": {"messages": []}} for number in range(3)]
    valid = {"completions.jsonl": as_lines(completions), "requests.jsonl": as_lines(waiting), f"answers/{packet_name(request(2))}": b"#{}"}

    async def answers():
        writer = BatchFileWriter(folder)
        await writer.prepare()
        for number in range(3):
            try:
                found = await writer.write(request(number))
            except NotYet:
                continue
            assert (type(found.text), type(found.prompt_tokens), type(found.output_tokens), type(found.model)) == (str, int, int, str)
            assert found.text

    def check(change):
        name, data = change
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "answers").mkdir(parents=True)
        for other, content in valid.items():
            (folder / other).write_bytes(data if other == name else content)
        try:
            asyncio.run(answers())
        except KmiError as error:
            refused(error, name)

    changes = [st.tuples(st.just(name), damaged([content])) for name, content in valid.items()]
    changes.append(st.tuples(st.just("completions.jsonl"), damaged_json(completions, as_lines)))
    changes.append(st.tuples(st.just("requests.jsonl"), damaged_json(waiting, as_lines)))
    fuzz(st.one_of(changes), check, cases)


@sizes
def test_a_models_answer(cases):
    """Read tolerantly: never refused, and what was said is there."""

    def check(data):
        text = data.decode(errors="surrogateescape")  # half characters, as a server can send them
        for turn in (read_therapist(text, "General"), read_client(text, "change", None)):
            validate(replace(SHORT, utterances=(replace(turn, utterance_ko=turn.utterance_ko.encode(errors="replace").decode() or "-", utterance_en=""),)))

    lines = [b"T CR | \xeb\x84\xa4. | Yes.", b"C change/desire !fix | \xeb\x84\xa4 | Yes", b"```\n[SR] \xeb\x84\xa4\n```", b"<think>x</think> \"T CR | a | b\""]
    fuzz(damaged(lines), check, cases)
