"""Talking with a person: the chat session, and the crisis guard that stands before and behind every model.

    guard             is somebody in danger? fixed answers, in force for the turns that follow
    guard_spelling    what a message says, whatever its spelling
    guard_patterns    patterns written by hand (guard_patterns.toml)
    guard_classifier  two small linear models (guard_weights.safetensors), fitted by guard_training
    guard_output      what no model may say to a person (guard_output.toml)
    session           guard, coder, forecaster, decision, writer, output check

Not covered: simulated clients (`kmi.simulation`).
"""

from kmi.chatbot.guard import Danger, Guard, Watch
from kmi.chatbot.session import ChatSession, Reply

__all__ = ["ChatSession", "Danger", "Guard", "Reply", "Watch"]
