"""What the tests in a real browser share: sizes, tabs, and what a visitor does."""

import os
import shutil
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
IN_BROWSER = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium; on Debian: apt-get install chromium fonts-nanum")]
TABS = {"ko": ("상담 대화", "연습하기", "예측", "분석", "데이터", "시뮬레이션", "소개"), "en": ("Chat", "Practise", "Forecast", "Analyse", "Explore", "Simulate", "About")}
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PATIENCE = 90_000  # ms; the machine may be busy with other tests


def go_to(page, name):
    """Opens a tab."""
    page.get_by_role("tab", name=name, exact=True).click()


def in_english(page):
    """Switches the page to English."""
    page.locator("#language").get_by_text("English").click()
    page.get_by_role("tab", name="Chat", exact=True).wait_for()


def keep(page, name):
    """A screenshot among the artifacts, to be looked at."""
    folder = Path(os.environ.get("KMI_ARTIFACTS", "artifacts"))
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)


def send(page, text):
    page.fill("#chat-message textarea", text)
    page.press("#chat-message textarea", "Enter")
