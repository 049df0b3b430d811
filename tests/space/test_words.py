import re
import tomllib
from itertools import islice

import pytest

from kmi.codes import TALK, THERAPIST
from kmi.corpus.load import shipped_dialogues
from kmi.forecaster.features import FEATURE_NAMES, features_of, turns_of
from kmi.space.words import FLAG, LANGUAGES, cue_text, label_name, reason_text, word

HANGUL = re.compile("[가-힣]")


@pytest.fixture(scope="module")
def words(repository):
    return tomllib.loads((repository / "kmi/space/words.toml").read_text(encoding="utf-8"))


def test_every_word_is_there_in_both_languages(words):
    for tab, keys in words.items():
        for key, texts in keys.items():
            assert set(texts) == set(LANGUAGES) and all(text.strip() for text in texts.values()), (tab, key)
            assert HANGUL.search(texts["ko"]), (tab, key)


def test_both_languages_have_the_same_gaps(words):
    for keys in words.values():
        for texts in keys.values():
            gaps = {language: sorted(re.findall(r"{\w+}", text)) for language, text in texts.items()}
            assert gaps["ko"] == gaps["en"]


def test_what_the_tabs_ask_for_is_there_and_nothing_else(repository, words):
    code = "\n".join(path.read_text(encoding="utf-8") for path in (repository / "kmi/space").glob("*.py"))
    there = {f"{tab}.{key}" for tab, keys in words.items() for key in keys}
    asked = set(re.findall(r"""["']((?:page|chat|practise|forecast|analyse|explore|simulate|about|cue)\.\w+)["']""", code))
    assert asked and asked <= there
    # Keys put together from parts: cues, tabs, speakers, filters and what a sheet says.
    parts = re.compile(r"(cue|reason|talk|figure|level|untold|plot)\..*|\w+\.tab|page\.(therapist|client)|forecast\.(up|down)|explore\.(category|arc|ending|label|ko|en|both)|analyse\.\w+|practise\.(try_)?\w+")
    assert not [key for key in there - asked if not parts.fullmatch(key)]


def test_every_cue_is_told_in_both_languages():
    for cue in FEATURE_NAMES:
        for value in (0.0, 1.0):
            assert HANGUL.search(cue_text(cue, value, 0.5, "ko")) and not HANGUL.search(cue_text(cue, value, 0.5, "en"))
            assert "{" not in cue_text(cue, value, 0.5, "ko")
    assert cue_text("text client lag1 asks", 1, 0.1, "en") == "the client's last turn: ends in a question"
    assert cue_text("label lag1=Affirm", 0, 0.1, "ko") == "상담자의 바로 앞 말이 인정하기 아닌 점"
    assert cue_text("talk share=sustain", 0.1, 0.2, "en") == "share of sustain talk in the client's turns so far: lower than usual"


def test_flags_are_the_cues_that_are_no_quantity():
    seen = [features_of(turns_of(d.utterances[:n])) for d in islice(shipped_dialogues("test"), 15) for n in range(0, d.turns, 3)]
    for cue, *values in zip(FEATURE_NAMES, *seen, strict=True):
        if FLAG.fullmatch(cue):
            assert set(values) <= {0.0, 1.0}, cue
        else:
            assert re.search(r"share|recent|since|answers|running|mean|log|/100|to questions|to therapist", cue), cue


def test_labels_have_names_in_both_languages():
    assert label_name("Affirm", "ko") == "인정하기" and label_name("Affirm", "en") == "Affirm"
    assert all(HANGUL.search(label_name(name, "ko")) for name in (*THERAPIST, *TALK))
    assert label_name("change", "en") == "change talk" and label_name("unknown", "en") == "unknown"
    assert all(label_name(name, "ko") == code.ko for name, code in TALK.items())


def test_every_reason_of_the_policies_is_told_in_korean(repository):
    code = (repository / "kmi/simulation/decision.py").read_text(encoding="utf-8")
    reasons = [text.split("{")[0] for text in re.findall(r'Decision\([^,]+, f?"([^"]+)"', code)]
    assert len(reasons) >= 10 and all(HANGUL.search(reason_text(reason, "ko")) for reason in reasons)
    assert reason_text("rank 2 of the forecast (p 0.31); R:Q so far 1.0", "ko") == "예측에서 2순위 (확률 0.31)"
    assert reason_text("your own choice", "ko") == "your own choice"


def test_an_unknown_key_is_a_bug():
    with pytest.raises(KeyError):
        word("chat.nonsense", "ko")
