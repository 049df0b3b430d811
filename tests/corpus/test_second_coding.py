import json
import subprocess
import sys

import pytest

from kmi.corpus.second_coding import agreement_json, agreement_of, guide, read_agreement, read_codes, write_export
from kmi.corpus.sources import read_batch, read_sources
from kmi.errors import DataError
from kmi.metrics.scores import NO_INTERVALS

TEXT = """\
#{"id": "kmi-family-901", "split": "test"}
CTX 명절이 무섭습니다.
== engaging
T OQ | 무엇이 걸리세요? | What is it?
C change/need | 끊어야 해요. | I have to stop.
T CR | 더는 미룰 수 없으시고요. | You can't put it off.
"""
CODES = "# kmi-family-901\n0 OQ\n1 change\n2 SR\n"


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source" / "family"
    folder.mkdir(parents=True)
    (folder / "batch-901.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path / "source"


def command(source, *args):
    script = "scripts/second_coding.py"
    return subprocess.run([sys.executable, script, "--source", str(source), *map(str, args)], capture_output=True, text=True, encoding="utf-8")


def test_the_export_shows_words_and_no_codes(source, tmp_path):
    (part,) = write_export(read_sources(source), tmp_path / "out")
    text = part.read_text(encoding="utf-8")
    assert "0 T | 무엇이 걸리세요?" in text and "1 C | 끊어야 해요." in text and "명절이" in text
    assert "OQ" not in text and "change" not in text and "engaging" not in text and "What is it" not in text


def test_the_guide_holds_every_definition_and_rule():
    text = guide()
    for part in ("CR 복합 반영", "sustain 유지 대화", "(taking_steps)", "T: 한 차례에 코드 하나", "C: 프로필의"):
        assert part in text, part


def test_codes_go_out_and_come_back_as_agreement(source, tmp_path):
    assert "1 dialogues in 1 parts" in command(source, "export", "--out", tmp_path / "out").stdout
    (tmp_path / "out" / "part-01.codes.txt").write_text(CODES, encoding="utf-8")
    done = command(source, "take", tmp_path / "out" / "part-01.codes.txt")
    assert done.stdout == "1 dialogues coded\n", done.stderr
    (dialogue,) = read_batch(source / "family" / "batch-901.txt")
    assert [turn.label_second or turn.talk_second for turn in dialogue.utterances] == ["Open Question", "change", "Simple Reflection"]
    assert "has second codes already" in command(source, "take", tmp_path / "out" / "part-01.codes.txt").stderr
    assert command(source, "agreement", "--write").returncode == 0
    found = read_agreement(source)
    assert found["therapist"]["raw"].value == 0.5  # OQ agrees, CR and SR do not
    assert "0 dialogues in 0 parts" in command(source, "export", "--out", tmp_path / "again").stdout


def test_agreement_is_that_of_both_codes(source, tmp_path):
    (tmp_path / "a.txt").write_text(CODES, encoding="utf-8")
    command(source, "take", tmp_path / "a.txt")
    found = agreement_of(read_sources(source), NO_INTERVALS)
    # Two therapist turns: agreed 1/2, expected (OQ 1/2 * 1/2) = 1/4: (1/2 - 1/4) / (3/4) = 1/3.
    assert found["therapist"]["overall"].value == pytest.approx(1 / 3)
    assert found["client"]["overall"].value is None  # one code only
    assert json.loads(agreement_json(found))["therapist"]["overall"][0] == 0.333


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("0 OQ", "expected '# <dialogue id>' first"),
        ("# kmi-family-999\n0 OQ", "expected a held-out dialogue, got 'kmi-family-999'"),
        ("# kmi-family-901\n0 OQ\n1 change", "turns 0 to 2; expected each once and in order, got 2"),
        ("# kmi-family-901\n0 OQ\n2 SR\n1 change", "expected each once and in order"),
        ("# kmi-family-901\n0 XX\n1 change\n2 SR", "line 2: the therapist speaks; expected one of SR, CR"),
        ("# kmi-family-901\n0 OQ\n1 CR\n2 SR", "line 3: the client speaks; expected one of change, sustain, neutral, got 'CR'"),
        ("# kmi-family-901\n9 OQ", "a turn from 0 to 2"),
    ],
)
def test_bad_answers_name_file_and_line(source, tmp_path, answer, said):
    path = tmp_path / "answer.txt"
    path.write_text(answer, encoding="utf-8")
    with pytest.raises(DataError, match="answer.txt.*" + said.replace("(", r"\(")):
        list(read_codes(path, read_sources(source)))


def corrections(source, **changes):
    record = {"id": "kmi-family-901", "turn": 2, "field": "label", "from": "Complex Reflection", "to": "Simple Reflection", "reason": "adds nothing", **changes}
    (source / "family" / "batch-901.corrections.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    return source


def test_a_correction_changes_one_code_and_can_be_left_out(source):
    corrections(source)
    assert read_sources(source)[0].utterances[2].label == "Simple Reflection"
    assert read_sources(source, corrected=False)[0].utterances[2].label == "Complex Reflection"
    corrections(source, turn=1, field="talk", **{"from": "change", "to": "neutral"})
    assert read_sources(source)[0].utterances[1].talk_subtype is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"turn": 7}, "'turn' between 0 and 2"),
        ({"field": "talk"}, "'field' among label, label_second"),
        ({"from": "Affirm"}, "turn 2 has label 'Complex Reflection', not 'Affirm'"),
        ({"to": "Praise"}, "expected 'to' among Simple Reflection"),
        ({"reason": " "}, "needs its 'reason'"),
        ({"id": "kmi-family-999"}, "'kmi-family-999', which is not in batch-901.txt"),
    ],
)
def test_bad_corrections_are_named(source, changes, said):
    with pytest.raises(DataError, match="batch-901.corrections.jsonl, line 1.*" + said):
        read_sources(corrections(source, **changes))


def test_corrections_without_a_text_are_refused(source):
    (source / "family" / "batch-902.corrections.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(DataError, match="corrections codes without a text"):
        read_sources(source)
