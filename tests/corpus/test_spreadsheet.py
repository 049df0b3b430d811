import csv
from dataclasses import replace

import pytest

from kmi.corpus.readers import read_dialogues
from kmi.corpus.spreadsheet import read_csv, write_csv
from kmi.dialogue import Dialogue, Utterance
from kmi.errors import DataError


def cells(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def written(tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_turn_is_a_row_and_excel_sees_korean(tmp_path, dialogues):
    write_csv(dialogues[:2], tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbfid,category,context,arc,ending,split,turn,role,utterance_ko,label,")
    header, *rows = cells(tmp_path / "out.csv")
    assert len(rows) == 7
    fourth = dict(zip(header, rows[3], strict=True))
    assert [fourth[name] for name in ("id", "category", "turn", "role", "label", "talk", "talk_subtype")] == ["a", "가족", "3", "client", "", "change", "desire"]
    assert fourth["utterance_ko"] == "막히는 건 아니고, 안 가고 싶어요."


@pytest.mark.parametrize("opening", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "'=", "''-"])
def test_no_cell_is_a_formula(tmp_path, opening):
    text = f'{opening}HYPERLINK("http://x","y")'
    dialogue = Dialogue(text, "", text, (Utterance("therapist", text, decision_reason=text), Utterance("client", "'네' 하고 =1")))
    write_csv([dialogue], tmp_path / "out.csv")
    found = [cell for row in cells(tmp_path / "out.csv") for cell in row]
    assert not [cell for cell in found if cell[:1] in set("=+-@\t\r\n＝＋－＠")]
    assert found.count("'" + text) == 6  # id and context of both turns, text and reason of the first
    assert "'네' 하고 =1" in found
    assert list(read_csv(tmp_path / "out.csv")) == [dialogue]


def test_a_table_saved_sorted_by_a_spreadsheet_is_read_in_order(tmp_path, dialogues):
    write_csv(dialogues[:2], tmp_path / "out.csv")
    header, *rows = cells(tmp_path / "out.csv")
    mark = header.index("corrects_reflection")
    rows = [[*row[:mark], row[mark].upper(), *row[mark + 1 :]] for row in sorted(rows, key=lambda row: row[header.index("utterance_ko")])]
    with (tmp_path / "sorted.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([header, *rows])
    found = {dialogue.id: dialogue for dialogue in read_dialogues(tmp_path / "sorted.csv")}
    assert found == {dialogue.id: dialogue for dialogue in read_csv(tmp_path / "out.csv")}
    assert [turn.corrects_reflection for turn in found["a"].utterances] == [False, False, False, True, False]


def test_a_table_made_by_hand_needs_four_columns(tmp_path):
    path = written(tmp_path, "note,role,turn,utterance_en,id\nx,client,1,I can't.,s1\n,therapist,0,Hello.,s1\n")
    assert list(read_dialogues(path)) == [Dialogue("s1", "", "", (Utterance("therapist", "", "Hello."), Utterance("client", "", "I can't.")))]


def test_fields_of_the_dialogue_come_from_its_first_row(tmp_path):
    path = written(tmp_path, "id,turn,role,utterance_ko,split,category\ns,1,client,네,,\ns,0,therapist,네,test,가족\n")
    (found,) = read_dialogues(path)
    assert replace(found, utterances=()) == Dialogue("s", "가족", "", (), split="test")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("s,x,client,네", "line 2: expected a number .* got 'x'. Number"),
        ("s,,client,네", "line 2: expected a number"),
        ("s," + "9" * 5000 + ",client,네", "line 2: expected a number"),
        ("s,0,client,네\ns,0,client,네", "line 3: expected a number of its own"),
        ("s,0,client,네,extra", "line 2: expected 4 cells as in the header, got more"),
        ('s,0,client,"네', "line 2: not valid CSV"),
        ('s,0,client,"네" x', "line 2: not valid CSV"),
        ("s,0,client," + "x" * 200_000, "line 2: not valid CSV .*limit"),
        ("s,0,nurse,네", "dialogue 's', turn 0: field 'role' is 'nurse'"),
        ("s,0", "dialogue 's', turn 0"),
        (" ,0,client,네", "field 'id' is empty"),
        ("s,0,client,", "turn 0: 'utterance_ko' and 'utterance_en' are both empty"),
        ("", "at least one dialogue"),
    ],
)
def test_a_table_that_does_not_hold_is_refused(tmp_path, content, words):
    with pytest.raises(DataError, match=words):
        list(read_dialogues(written(tmp_path, "id,turn,role,utterance_ko\n" + content)))


def test_another_table_and_another_encoding_are_told_apart(tmp_path):
    with pytest.raises(DataError, match="expected columns id, role, turn, got a, b"):
        list(read_csv(written(tmp_path, "a,b\n1,2\n")))
    with pytest.raises(DataError, match="not UTF-8 .*CSV UTF-8"):
        list(read_csv(written(tmp_path, "id,turn,role,utterance_ko\ns,0,client,네\n".encode("cp949"))))


def test_a_header_that_runs_over_lines_is_told_on_one(tmp_path):
    (tmp_path / "x.csv").write_text('"a\r\nb",c\n', encoding="utf-8")
    with pytest.raises(DataError, match="expected columns id, role, turn, got a b, c") as caught:
        list(read_csv(tmp_path / "x.csv"))
    assert str(caught.value).isprintable()


def test_a_header_that_runs_over_pages_is_cut_and_a_long_name_is_not(tmp_path):
    name = "n" * 150  # as long as the path of a model that a server lists: it has to be typed whole
    (tmp_path / "x.csv").write_text(f'{name},"{"a page " * 1000}"\n', encoding="utf-8")
    with pytest.raises(DataError, match=f"got {name}, a page") as caught:
        list(read_csv(tmp_path / "x.csv"))
    assert len(str(caught.value)) < 700
