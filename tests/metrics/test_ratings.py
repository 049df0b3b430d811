import asyncio
import json

import pytest

from kmi.errors import DataError
from kmi.metrics.judge import judge, messages_for, read_scores
from kmi.metrics.ratings import Rating, ratings
from kmi.metrics.ratings_form import read_form, write_form
from kmi.metrics.rubric import GROUPS, ITEMS
from kmi.metrics.scores import NO_INTERVALS
from kmi.simulation.ledger import Ledger
from kmi.writers.base import Completion

SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def test_every_item_has_both_languages_and_a_group():
    assert GROUPS == ("spirit", "principles", "miti_technical", "miti_relational", "general")
    assert [sum(item.group == group for item in ITEMS.values()) for group in GROUPS] == [4, 4, 2, 2, 3]
    assert all(item.question_ko and item.question_en and item.low_ko and item.high_ko and item.low_en and item.high_en for item in ITEMS.values())


def test_means_average_raters_first():
    given = [Rating("d1", "r1", "miti.empathy", 4), Rating("d1", "r2", "miti.empathy", 2), Rating("d2", "r1", "miti.empathy", 5)]
    found = ratings(given, NO_INTERVALS)["human"]
    assert found["miti.empathy"].mean.value == (3 + 5) / 2
    assert (found["miti.empathy"].dialogues, found["miti.empathy"].raters) == (2, 2)
    assert found["miti.empathy"].alpha.value is None  # one dialogue with two raters tells nothing


def test_globals_and_their_levels():
    given = [Rating("d", "r", "miti.empathy", 4), Rating("d", "r", "miti.partnership", 3), Rating("d", "r", "miti.softening_sustain_talk", 4), Rating("d", "r", "miti.cultivating_change_talk", 4)]  # fmt: skip
    found = ratings(given, NO_INTERVALS)["human"]
    assert found["miti_relational"].value == 3.5 and found["miti_relational.level"] == "fair"
    assert found["miti_technical"].value == 4 and found["miti_technical.level"] == "good"


def test_agreement_is_the_published_example():
    # Shrout & Fleiss 1979, table 4: ICC(2,1) = .29. Their 1-10 is brought to 1-5, which changes neither ICC nor ordinal alpha.
    given = [Rating(f"d{i}", f"r{j}", "spirit.evocation", 1 + (score - 1) * 4 / 9) for i, row in enumerate(SHROUT_FLEISS) for j, score in enumerate(row)]
    found = ratings(given, NO_INTERVALS)["human"]["spirit.evocation"]
    assert found.icc.value == pytest.approx(0.29, abs=0.005) and (found.icc.low, found.icc.high) == (0.02, 0.76)
    import krippendorff

    assert found.alpha.value == pytest.approx(krippendorff.alpha(reliability_data=list(zip(*SHROUT_FLEISS, strict=True)), level_of_measurement="ordinal"))


def test_models_are_never_pooled_with_people():
    found = ratings([Rating("d", "r", "miti.empathy", 5), Rating("d", "m", "miti.empathy", 1, "model")], NO_INTERVALS)
    assert found["human"]["miti.empathy"].mean.value == 5 and found["model"]["miti.empathy"].mean.value == 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("d", "r", "charm", 3), "item 'charm' is unknown; allowed are spirit.partnership"),
        (("d", "r", "miti.empathy", 6), "score of 1 to 5, got 6"),
        (("d", "r", "miti.empathy", True), "score of 1 to 5"),
        (("d", "r", "miti.empathy", 3, "robot"), "kind is 'robot'; allowed are human, model"),
    ],
)
def test_bad_ratings_are_named(values, said):
    with pytest.raises(DataError, match=said):
        Rating(*values)


def test_rating_twice_is_refused():
    with pytest.raises(DataError, match="'d': rater 'r' rated item 'miti.empathy' twice"):
        ratings([Rating("d", "r", "miti.empathy", 3)] * 2)


def test_a_form_comes_back_as_ratings(tmp_path, session_of):
    path = tmp_path / "form.csv"
    assert write_form([session_of("OQ neutral", "d1")], path) == len(ITEMS)
    text = path.read_text(encoding="utf-8-sig")
    filled = text.splitlines()
    filled[1] = filled[1] + "4"
    path.write_text("\n".join(filled), encoding="utf-8-sig")
    assert list(read_form(path, "kim")) == [Rating("d1", "kim", "spirit.partnership", 4.0)]
    path.write_text(text.replace("score", "점수"), encoding="utf-8-sig")
    with pytest.raises(DataError, match="missing score"):
        list(read_form(path, "kim"))
    filled[1] = filled[1][:-1] + "많이"
    path.write_text("\n".join(filled), encoding="utf-8-sig")
    with pytest.raises(DataError, match=r"form.csv, line 2: expected a score of 1 to 5, got '많이'"):
        list(read_form(path, "kim"))


class Judge:
    """Answers with what `answers` holds, in turn."""

    name, concurrency = "judge", 2

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), 0

    async def prepare(self):
        pass

    async def close(self):
        pass

    async def write(self, request):
        await asyncio.sleep(0)
        self.asked += 1
        return Completion(self.answers.pop(0))


GOOD = "점수입니다 " + json.dumps(dict.fromkeys(ITEMS, 4))


def test_a_judges_scores_are_marked_as_a_models(session_of):
    found = judge([session_of("OQ neutral", "d1")], Judge("no", GOOD), "m1")
    assert len(found) == len(ITEMS) and {(r.kind, r.rater, r.score) for r in found} == {("model", "m1", 4)}


def test_a_judge_that_never_answers_is_named(session_of):
    with pytest.raises(DataError, match="dialogue 'd1', rater 'm1'.*Tried 3 times"):
        judge([session_of("OQ neutral", "d1")], Judge("no", "{}", '{"miti.empathy": 3}'), "m1")


def test_the_ledger_keeps_answers(session_of, tmp_path):
    for asked in (1, 0):
        ledger, writer = Ledger(tmp_path / "ledger"), Judge(GOOD)
        assert len(judge([session_of("OQ neutral", "d1")], writer, "m1", ledger)) == len(ITEMS)
        assert writer.asked == asked
        ledger.close()


def test_a_judge_sees_words_and_no_labels(session_of):
    text = messages_for(session_of("CR change/need AF"))[1]["content"]
    assert "상담자: 말" in text and "Affirm" not in text and "change" not in text.replace("change_talk", "")


def test_scores_out_of_range_are_refused():
    with pytest.raises(DataError, match="score of 1 to 5, got 9"):
        list(read_scores(json.dumps({**dict.fromkeys(ITEMS, 3), "general.fluency": 9}), "d", "m"))
