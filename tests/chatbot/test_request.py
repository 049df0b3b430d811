"""What a writer is asked in a live talk."""

from kmi.chatbot.request import RECENT, live_request
from kmi.dialogue import Forecast, Utterance
from kmi.simulation.decision import Decision
from kmi.simulation.prompting import note_text

TOP = (Forecast("Complex Reflection", 0.5), Forecast("Open Question", 0.3), Forecast("General", 0.2))


def test_the_prompt_shows_label_words_and_history():
    said = [Utterance("client", "담배를 끊고 싶어요", talk="change")]
    request = live_request(said, Decision("Complex Reflection", "rank 1", TOP), "evoking", 7)(0)
    prompt = request.messages[1]["content"]
    assert "담배를 끊고 싶어요" in prompt and "Complex Reflection" in prompt and "T CR |" in prompt
    assert request.cue.label == "Complex Reflection" and request.cue.history == ("담배를 끊고 싶어요",)


def test_every_attempt_asks_anew():
    ask = live_request([Utterance("client", "네")], Decision("General", "r", TOP), "engaging", 7)
    assert ask(0).messages == ask(1).messages and ask(0).key != ask(1).key and ask(0).seed != ask(1).seed


def test_permission_is_asked_for_in_words():
    decision = Decision("Closed Question", "ask permission", TOP, "permission")
    assert note_text("permission") in live_request([Utterance("client", "네")], decision, "planning", 0)(0).messages[1]["content"]


def test_a_long_talk_is_cut_at_its_beginning():
    said = [Utterance("client" if i % 2 == 0 else "therapist", f"말 {i}번", label=None) for i in range(41)]
    prompt = live_request(said, Decision("General", "r", TOP), "evoking", 0)(0).messages[1]["content"]
    assert "말 40번" in prompt and f"말 {41 - RECENT}번" in prompt and f"말 {40 - RECENT}번" not in prompt
