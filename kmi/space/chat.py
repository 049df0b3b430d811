"""Chat: a visitor talks, the guarded session answers; under each reply, folded, its label, the forecast and why.

The session lives in the visitor's state and is forgotten with it. Not covered: what a reply is made of (`kmi.chatbot.session`).
"""

import json
from collections.abc import Iterator

import gradio as gr

from kmi.chatbot import ChatSession
from kmi.chatbot.session import LONGEST_MESSAGE, Reply
from kmi.corpus.korean import SENTENCE_END
from kmi.dialogue import Dialogue
from kmi.errors import KmiError
from kmi.space.downloads import download
from kmi.space.engine import Engine
from kmi.space.markup import notice, plain
from kmi.space.page import Page
from kmi.space.words import label_name, reason_text, word

AT_ONCE = 2
"""Replies that are worked on at a time; who comes later sees a place in the queue."""
FORGOTTEN_AFTER = 3600  # seconds without a message
BAR = 20  # blocks of a full bar

Messages = list[dict]


def build(page: Page, engine: Engine) -> None:
    """Lays out the tab and says what happens."""
    page.make(gr.Markdown, {"value": "chat.notice"})
    window = page.make(gr.Chatbot, {"label": "chat.window", "placeholder": "chat.empty"}, height=460, render_markdown=False, buttons=[], elem_id="chat-window")
    trouble = gr.HTML(elem_id="chat-trouble")
    with gr.Row():
        message = page.make(gr.Textbox, {"label": "chat.message", "placeholder": "chat.hint"}, lines=1, max_lines=6, max_length=LONGEST_MESSAGE, scale=5, autofocus=False, elem_id="chat-message")
        send = page.make(gr.Button, {"value": "chat.send"}, variant="primary", scale=1, min_width=90, elem_id="chat-send")
    with gr.Row():
        reset = page.make(gr.Button, {"value": "chat.reset"}, size="sm", elem_id="chat-reset")
        as_text = page.make(gr.DownloadButton, {"label": "chat.save_text"}, size="sm", elem_id="chat-save-text")
        as_jsonl = page.make(gr.DownloadButton, {"label": "chat.save_jsonl"}, size="sm", elem_id="chat-save-jsonl")
    talk = gr.State(None, time_to_live=FORGOTTEN_AFTER)

    def answer(text: str, shown: Messages, session: ChatSession | None, language: str) -> Iterator[tuple]:
        yield from respond(engine, text, shown, session, language)

    inputs, outputs = [message, window, talk, page.language], [message, window, talk, trouble]
    gr.on([message.submit, send.click], answer, inputs, outputs, concurrency_limit=AT_ONCE, concurrency_id="writer", api_name="chat", show_progress_on=window)
    gr.on([reset.click, window.clear], lambda: ([], None, ""), None, [window, talk, trouble], api_name=False)
    as_text.click(save_text, [talk, page.language], as_text, api_name=False)
    as_jsonl.click(save_jsonl, talk, as_jsonl, api_name=False)


def respond(engine: Engine, text: str, shown: Messages, session: ChatSession | None, language: str) -> Iterator[tuple]:
    """What the page shows while a message is answered: message box, conversation, session, trouble."""
    session = session or ChatSession(engine.writer, engine.forecaster, engine.coder)
    session.language = language
    asked = [*shown, {"role": "user", "content": plain(text)}]
    yield "", asked, session, ""
    try:
        reply = engine.run(session.respond(text))
    except KmiError as error:
        # The text goes back into the box: nothing typed is lost.
        yield text, shown, session, notice(f"{word('page.wrong', language)}\n{error}")
        return
    said = ""
    for part in [reply.text] if reply.danger else SENTENCE_END.split(reply.text):
        said = f"{said} {part}".strip()
        yield "", [*asked, {"role": "assistant", "content": plain(said)}], session, ""
    yield "", [*asked, {"role": "assistant", "content": plain(said)}, why(reply, language)], session, ""


def why(reply: Reply, language: str) -> dict:
    """The folded line under a reply."""
    if reply.danger:
        return _folded(word("chat.why_guard", language), word("chat.guard", language))
    lines = [word("chat.decided", language, reason=reason_text(reply.reason, language))]
    if reply.talk:
        lines.insert(0, word("chat.heard", language, talk=label_name(reply.talk, language)))
    lines += [f"{'█' * round(BAR * option.probability):<{BAR}} {option.probability:.2f} {label_name(option.label, language)}" for option in reply.forecast]
    return _folded(word("chat.why", language, label=label_name(reply.label, language)), "\n".join(lines))


def save_text(session: ChatSession | None, language: str) -> str:
    """The conversation as a plain file."""
    turns = session.said if session else []
    text = "\n".join(f"{word(f'page.{turn.role}', language)}: {turn.text}" for turn in turns)
    return download("kmi-chat.txt", f"{text or word('chat.nothing', language)}\n")


def save_jsonl(session: ChatSession | None) -> str:
    """The conversation as a record that `kmi` reads back."""
    turns = session.said if session else []
    record = Dialogue("chat", "", "", tuple(turns)).to_dict()
    return download("kmi-chat.jsonl", json.dumps(record, ensure_ascii=False) + "\n" if turns else "\n")


def _folded(title: str, content: str) -> dict:
    return {"role": "assistant", "content": content, "metadata": {"title": title, "status": "done"}}
