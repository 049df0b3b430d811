import gradio as gr
import pytest

from kmi.space.page import Page


@pytest.fixture
def page():
    with gr.Blocks():
        yield Page()


def test_a_component_begins_in_korean_and_follows_the_switch(page):
    button = page.make(gr.Button, {"value": "chat.send"}, size="sm")
    choice = page.make(gr.Radio, {"choices": lambda language: [("가" if language == "ko" else "a", "x")], "label": "explore.texts"}, value="x")
    assert button.value == "보내기" and choice.choices == [("가", "x")] and choice.label == "글"
    sent, chosen = page._in("en")
    assert sent["value"] == "Send" and chosen["choices"] == [("a", "x")] and chosen["label"] == "Text"
    assert page._in("ko")[0]["value"] == "보내기"


def test_what_opens_the_page_is_filled_again_when_the_language_changes():
    with gr.Blocks() as blocks:
        page = Page()
        shown = gr.HTML()
        page.on_load(lambda language: language, [page.language], [shown])
        page.connect(blocks)
    triggers = [trigger for event in blocks.fns.values() for trigger in event.targets if [output._id for output in event.outputs] == [shown._id]]
    assert {name for _, name in triggers} == {"load", "change"}
