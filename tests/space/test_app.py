"""The page in a real browser: Chromium on a server whose own sockets reach nothing beyond this machine.

What it looks like, and the language switch: test_looks.py.
"""

import pytest
from pages import DESKTOP, IN_BROWSER, PHONE, TABS, go_to, keep, send

pytestmark = IN_BROWSER


@pytest.mark.parametrize(("size", "name"), [(DESKTOP, 1280), (PHONE, 390)])
def test_every_tab_opens_has_the_crisis_bar_and_does_not_scroll_sideways(open_page, size, name):
    page = open_page(size)
    for number, tab in enumerate(TABS["ko"]):
        go_to(page, tab)
        page.locator(".kmi-crisis", has_text="109").wait_for()
        page.wait_for_timeout(800)  # what a tab fills in when it opens
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        keep(page, f"tab-{number}-{name}")


def test_a_chat_with_syllables_under_composition(open_page):
    page = open_page()
    box = page.locator("#chat-message textarea")
    box.click()
    client = page.context.new_cdp_session(page)
    typed = ""
    for syllable in "담배를 끊고 싶어요":
        client.send("Input.imeSetComposition", {"text": syllable, "selectionStart": 1, "selectionEnd": 1})
        # Enter while the syllable is still under composition ends the syllable and sends nothing.
        box.dispatch_event("keydown", {"key": "Enter", "keyCode": 229, "isComposing": True, "bubbles": True})
        client.send("Input.insertText", {"text": syllable})
        typed += syllable
        assert box.input_value() == typed
    assert page.locator("[data-testid=user]").count() == 0
    box.press("Enter")
    page.get_by_text("왜 이 말인가").wait_for()
    assert page.locator("[data-testid=user]").inner_text().strip() == typed
    keep(page, "chat-1280")


def test_danger_brings_help_and_html_is_text(open_page):
    page = open_page(PHONE)
    send(page, "<b>요즘</b> 그냥 죽고 싶어요")
    page.get_by_text("정해진 글").wait_for()
    assert "<b>요즘</b>" in page.locator("[data-testid=user]").inner_text()
    page.locator("[data-testid=bot] strong", has_text="109").first.wait_for()
    keep(page, "danger-390")


def test_practise_six_turns_and_look_back(open_page):
    page = open_page()
    go_to(page, "연습하기")
    turns = ("오늘은 어떤 이야기부터 해 볼까요?", "그 일이 마음에 걸리셨군요.", "그때는 어떠셨어요?", "많이 지치셨나 봐요.", "무엇이 달라지면 좋겠어요?", "스스로 해 보려고 하셨네요.")
    for number, text in enumerate(turns, start=1):
        page.fill("#practise-turn textarea", text)
        page.click("#practise-say")
        page.wait_for_function(f"document.querySelectorAll('#practise-talk .kmi-turn').length === {2 * number}")
    page.locator("#practise-figures svg").wait_for()
    page.click("#practise-end")
    page.get_by_text("다음에 해 볼 것 하나").wait_for()
    assert page.locator("#practise-feedback tbody tr").count() == 6
    keep(page, "practise-1280")


def test_forecast_moves_with_an_edit(open_page):
    page = open_page()
    go_to(page, "예측")
    page.locator("#forecast-bars .kmi-bar").first.wait_for()
    before = page.locator("#forecast-bars table").inner_text()
    page.fill("#forecast-session textarea", "상담자: 안녕하세요.\n내담자: 이제는 정말 끊어야겠어요.")
    page.wait_for_function("(before) => document.querySelector('#forecast-bars table').innerText !== before", arg=before)
    keep(page, "forecast-1280")


@pytest.mark.parametrize("kind", ["jsonl", "json", "txt", "csv", "parquet"])
def test_every_format_is_analysed(open_page, repository, transcripts, kind):
    page = open_page()
    go_to(page, "분석")
    page.set_input_files("#analyse-file input[type=file]", transcripts[kind])
    page.locator("#analyse-file").get_by_text("sessions").first.wait_for()
    page.click("#analyse-go")
    page.locator("#analyse-figures table").first.wait_for()
    page.locator("#analyse-fidelity img").first.wait_for()
    keep(page, f"analyse-{kind}-1280")


def test_explore_and_read(open_page):
    page = open_page()
    go_to(page, "데이터")
    page.locator("#explore-reading .kmi-turn").first.wait_for()
    page.fill("#explore-words textarea, #explore-words input", "담배")
    page.get_by_text("편을 찾았습니다").wait_for()
    page.wait_for_function("document.querySelector('#explore-reading').innerText.includes('담배')")
    page.locator("#explore-texts").get_by_text("둘 다").click()
    page.wait_for_function("/[a-z]{4}/.test(document.querySelector('#explore-reading .kmi-turn').innerText)")
    keep(page, "explore-1280")


def test_simulate_step_change_the_label_and_stop(open_page):
    page = open_page()
    go_to(page, "시뮬레이션")
    for number in (1, 2):
        page.click("#simulate-step")
        page.wait_for_function(f"document.querySelectorAll('#simulate-talk .kmi-turn').length === {number}")
    page.locator("#simulate-label input").click()
    page.get_by_role("option", name="인정하기").click()
    page.click("#simulate-step")
    page.get_by_text("직접 고른 라벨").wait_for()
    page.click("#simulate-run")
    page.wait_for_function("document.querySelectorAll('#simulate-talk .kmi-turn').length > 5")
    page.click("#simulate-stop")
    keep(page, "simulate-1280")
