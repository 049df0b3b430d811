"""What the page looks like in Chromium: the language of every word, contrast, the keyboard's place, widths."""

import pytest
from pages import DESKTOP, IN_BROWSER, PHONE, TABS, go_to, in_english, keep, send

pytestmark = IN_BROWSER

# Hangul on show that is no one's words: utterances and posts are marked lang="ko", the rest is the visitor's own or a list of posts.
HANGUL = """() => {
    const data = ".kmi-crisis, #language, body [lang=ko], #chat-window .message:not(.thought) .message-content";
    const said = [];
    const look = (element, text) => { if (/[가-힣]/.test(text) && element.checkVisibility() && !element.closest(data)) said.push(text.trim()); };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) look(texts.currentNode.parentElement, texts.currentNode.nodeValue);
    for (const element of document.querySelectorAll("[placeholder], [aria-label], [title], input"))
        if (!element.closest("#practise-client, #explore-hits, #practise-turn, [data-testid=user], [data-testid=bot]"))
            for (const text of [element.placeholder, element.ariaLabel, element.title, element.matches("input") ? element.value : ""]) look(element, text ?? "");
    return said.filter((text) => !["마들랜 (Madlen)"].includes(text));
}"""
# Contrast of every visible word with what lies behind it (WCAG 2), colours as the browser paints them.
FAINT = """() => {
    const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => { pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); return [...pen.getImageData(0, 0, 1, 1).data]; };
    const over = (top, below) => top.slice(0, 3).map((part, n) => part * top[3] / 255 + below[n] * (1 - top[3] / 255));
    const light = (colour) => colour.map((part) => part / 255).map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4).reduce((sum, part, n) => sum + part * [0.2126, 0.7152, 0.0722][n], 0);
    const behind = (element) => element ? over(rgba(getComputedStyle(element).backgroundColor), behind(element.parentElement)) : [255, 255, 255];
    const opacity = (element) => element ? getComputedStyle(element).opacity * opacity(element.parentElement) : 1;
    const found = {};
    const measure = (element, style, text) => {
        if (!text.trim() || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || !element.getClientRects().length) return;
        const ground = behind(element), ink = rgba(style.color);
        ink[3] *= opacity(element);
        const [dark, bright] = [light(over(ink, ground)), light(ground)].sort((one, other) => one - other);
        const contrast = (bright + 0.05) / (dark + 0.05);
        if (contrast < 4.5) found[text.trim().slice(0, 40)] = `${contrast.toFixed(2)} ${style.color}`;
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) measure(texts.currentNode.parentElement, getComputedStyle(texts.currentNode.parentElement), texts.currentNode.nodeValue);
    for (const box of document.querySelectorAll("input:not([type=radio], [type=range], [type=file]), textarea")) {
        measure(box, getComputedStyle(box), box.value);
        if (!box.value) measure(box, getComputedStyle(box, "::placeholder"), box.placeholder ?? "");
    }
    return found;
}"""


def use_every_tab(page, tabs):
    """Opens each tab in turn and does what fills it; yields when there is something to look at."""
    for name, use in zip(tabs, (chat, practise, forecast, analyse, explore, simulate, lambda page: None), strict=True):
        go_to(page, name)
        use(page)
        page.wait_for_timeout(1000)  # what fades in
        yield name


def chat(page):
    send(page, "담배를 끊고 싶은데 자꾸 실패해요.")
    page.locator("#chat-window .thought .title").click()
    page.locator("#chat-window .thought .content").wait_for()


def practise(page):
    page.fill("#practise-turn textarea", "오늘은 어떤 이야기부터 해 볼까요?")
    page.click("#practise-say")
    page.locator("#practise-talk .kmi-turn").nth(1).wait_for()
    page.click("#practise-end")
    page.locator("#practise-feedback tbody tr").wait_for()


def forecast(page):
    page.locator("#forecast-bars .kmi-why li").first.wait_for()


def analyse(page):
    page.fill("#analyse-text textarea", "T: How is the drinking these days?\nC: I am trying to cut down.\nT: You want to drink less.\nC: I have to.")
    page.click("#analyse-go")
    page.locator("#analyse-figures table").nth(3).wait_for()


def explore(page):
    page.locator("#explore-reading .kmi-turn").first.wait_for()


def simulate(page):
    page.click("#simulate-step")
    page.locator("#simulate-talk .kmi-turn").wait_for()
    page.locator("#simulate-why .kmi-bar").first.wait_for()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_korean_word_is_left_in_english_and_nothing_scrolls_sideways(open_page, size):
    page = open_page(size)
    in_english(page)
    page.wait_for_function("document.documentElement.lang === 'en' && document.title.includes('Korean')")
    for number, name in enumerate(use_every_tab(page, TABS["en"])):
        assert page.evaluate(HANGUL) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        keep(page, f"english-{number}-{size['width']}")
        for choice in page.locator("input[role=combobox]:visible").all() if name in ("Explore", "Simulate") else ():
            if not choice.evaluate("(it) => it.closest('#explore-hits') !== null"):
                choice.click()
                assert not [text for text in page.get_by_role("option").all_inner_texts() if any("가" <= letter <= "힣" for letter in text)], name
                choice.press("Escape")


def test_the_walk_for_korean_words_finds_them(open_page):
    assert {"상담 대화", "보내기", "예: 담배를 끊고 싶은데 자꾸 실패해요."} <= set(open_page().evaluate(HANGUL))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_stands_out_from_its_ground(open_page, scheme):
    page, faint = open_page(query=f"?__theme={scheme}"), {}
    for name in use_every_tab(page, TABS["ko"]):
        faint.update({text: (name, colours) for text, colours in page.evaluate(FAINT).items()})
    assert not faint
    page.evaluate("document.querySelector('#about-text p').style.color = 'rgb(128 128 128 / 50%)'")
    assert page.evaluate(FAINT), "the measure finds what is faint"


def test_the_keyboards_place_is_seen_everywhere(open_page):
    page = open_page()
    for name in TABS["ko"]:
        go_to(page, name)
        page.locator("#language input").first.focus()
        for _ in range(14):
            page.keyboard.press("Tab")
            # On the control itself, or on the label that stands for a hidden radio button.
            seen = page.evaluate("""() => {
                const at = document.activeElement;
                return at === document.body || [at, at.closest("label")].some((it) => it && parseFloat(getComputedStyle(it).outlineWidth) >= 2 && getComputedStyle(it).outlineStyle !== "none");
            }""")
            assert seen, (name, page.evaluate("document.activeElement.outerHTML.slice(0, 200)"))


def test_all_seven_tabs_are_in_sight_on_a_phone(open_page):
    page = open_page(PHONE)
    for name in TABS["ko"]:
        # The one that a finger at its middle would meet, with its whole name.
        met = page.get_by_role("tab", name=name, exact=True).evaluate("""(tab) => {
            const box = tab.getBoundingClientRect(), at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
            return box.width > 0 && box.right <= window.innerWidth && tab.scrollWidth <= tab.clientWidth && tab.contains(at);
        }""")
        assert met, name
