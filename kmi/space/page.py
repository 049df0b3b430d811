"""The page while it is built: the language switch, and every component whose words follow it.

Not covered: the words (`kmi.space.words`), the tabs (one module each).
"""

from collections.abc import Callable
from typing import Any

import gradio as gr

from kmi.space.words import LANGUAGES, word

Wording = str | Callable[[str], Any]
"""A key of the words, or a function of the language."""


class Page:
    """Collects what changes with the language.

    `language` is the switch; handlers take it as an input and get "ko" or "en".
    """

    def __init__(self) -> None:
        self.language = gr.Radio([(name, code) for code, name in LANGUAGES.items()], value="ko", show_label=False, label="언어 · Language", container=False, elem_id="language", min_width=0)
        self._shown: list[tuple[Callable, list, list]] = []
        self._worded: list[tuple[gr.blocks.Block, dict[str, Wording]]] = []

    def make(self, kind: type, wordings: dict[str, Wording], **properties: Any) -> Any:
        """A component whose `wordings` (property to key or function) are in the visitor's language."""
        component = kind(**{name: _said(wording, "ko") for name, wording in wordings.items()}, **properties)
        self._worded.append((component, wordings))
        return component

    def on_load(self, show: Callable, inputs: list, outputs: list) -> None:
        """Has `show` fill `outputs` when the page opens, and again when the language changes."""
        self._shown.append((show, inputs, outputs))

    def connect(self, blocks: gr.Blocks) -> None:
        """Has the switch change all words; call it once, when everything is made."""
        for show, inputs, outputs in self._shown:
            gr.on([blocks.load, self.language.change], show, inputs, outputs, api_name=False, show_progress="hidden")
        self.language.change(self._in, self.language, [component for component, _ in self._worded], show_progress="hidden", api_name=False, js=_TELL_BROWSER)

    def _in(self, language: str) -> list[dict]:
        return [gr.update(**{name: _said(wording, language) for name, wording in wordings.items()}) for _, wordings in self._worded]


def _said(wording: Wording, language: str) -> Any:
    return wording(language) if callable(wording) else word(wording, language)


# Screen readers choose their voice by it.
_TELL_BROWSER = "(language) => { document.documentElement.lang = language; return [language]; }"
