import gradio as gr

from kmi.space import about
from kmi.space.page import Page
from kmi.space.words import LANGUAGES, word


def test_about_names_help_limits_and_sources_in_both_languages():
    for language in LANGUAGES:
        text = word("about.text", language)
        assert all(part in text for part in ("109", "1577-0199", "1388", "1366", "119", "112", "Kim et al.", "AnnoMI", "CC BY 4.0"))
    assert "연구용" in word("chat.notice", "ko") and "저장하지" in word("chat.notice", "ko")


def test_the_tab_follows_the_switch():
    with gr.Blocks():
        page = Page()
        about.build(page, None)
    assert [wordings for _, wordings in page._worded] == [{"value": "about.text"}]
