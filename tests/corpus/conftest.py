import pytest

from kmi.dialogue import ClientProfile, Dialogue, Forecast, Provenance, Utterance


@pytest.fixture
def dialogues():
    """Three dialogues, a split each; the first uses every field, the last as few as can be."""
    rich = Dialogue(
        id="a",
        category="가족",
        context="명절이 무섭습니다.",
        utterances=(
            Utterance("therapist", "어서 오세요.", "Welcome.", label="General", process="engaging"),
            Utterance("client", "네, 왔어요.", "I'm here.", talk="neutral", process="engaging", talk_second="sustain"),
            Utterance(
                "therapist",
                "명절이 다가오면 숨이 막히시고요.",
                "You can't breathe.",
                label="Simple Reflection",
                process="evoking",
                planned_label="Complex Reflection",
                decision_reason="예측 1순위",
                forecast=(Forecast("Complex Reflection", 0.5), Forecast("Open Question", 0.25)),
                label_second="Complex Reflection",
            ),
            Utterance(
                "client",
                "막히는 건 아니고, 안 가고 싶어요.",
                talk="change",
                talk_subtype="desire",
                corrects_reflection=True,
                process="evoking",
            ),
            Utterance("therapist", "안 가고 싶으시군요.", label="Simple Reflection", process="evoking"),
        ),
        profile=ClientProfile(occupation="간호사", age_band="30대 초반"),
        arc="misattuned_repair",
        ending="partial",
        split="train",
        provenance=Provenance(writer="some-writer", model="some-model", mode="plan", seed=3, package_version="0.1.0"),
    )
    middle = Dialogue(
        "b",
        "중독·집착",
        "",
        (Utterance("therapist", "네.", label="General"), Utterance("client", "끊어야죠.", talk="change")),
        split="validation",
    )
    poor = Dialogue("c", "", "", (Utterance("therapist", "네."), Utterance("client", "", "Yes.")), split="test")
    return [rich, middle, poor]
