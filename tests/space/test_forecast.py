from kmi.forecaster.features import Turn
from kmi.space import forecast
from kmi.space.words import label_name

SESSION = "상담자: 오늘은 어떤 이야기로 시작할까요?\n내담자: 아내가 가라고 해서 왔어요.\n상담자: 등 떠밀려 오셨군요."


def test_bars_reasons_and_codes(engine):
    bars, coded = forecast.look(engine, SESSION, 40, "ko")
    assert bars.count("kmi-bar\"") == 8 and "왜 이렇게 나왔나" in bars and 3 <= bars.count("<li>") <= 9
    assert coded.count("kmi-turn") == 3 and "열린 질문" in coded


def test_the_reasons_are_those_of_the_forecaster_with_their_direction(engine):
    turns = [Turn("therapist", "Open Question", text="오늘은 어떤 이야기로 시작할까요?"), Turn("client", talk="change", text="술을 줄이고 싶어요.")]
    ranked = engine.forecaster.forecast(turns)[:3]
    made = forecast.because(engine.forecaster, turns, ranked, "ko")
    for reason in engine.forecaster.explain(turns):
        shown = abs(reason.effect) >= forecast.SMALLEST
        assert (f"{'▲ +' if reason.effect > 0 else '▼ −'}{abs(reason.effect):.2f}" in made) or not shown
    assert [label_name(option.label, "ko") in made for option in ranked] == [True] * 3


def test_bars_move_with_an_edit_and_with_the_step(engine):
    whole = forecast.look(engine, SESSION, 40, "ko")[0]
    assert whole != forecast.look(engine, SESSION, 1, "ko")[0] and whole != forecast.look(engine, SESSION + "\n내담자: 술을 끊어야 해요.", 40, "ko")[0]
    assert forecast.look(engine, SESSION, 0, "ko")[1].count("kmi-turn") == 0


def test_what_cannot_be_read_is_told_in_words(engine):
    assert "한 줄 이상" in forecast.look(engine, "  ", 40, "ko")[0]
    assert "speaker" in forecast.look(engine, "그냥 글입니다", 40, "ko")[0]
    assert "<script" not in "".join(forecast.look(engine, "상담자: <script>alert(1)</script>", 40, "ko"))
