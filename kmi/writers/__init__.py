"""Writers: where the words of a generated session come from.

Five of them, behind one small protocol (`kmi.writers.base`):

    retrieval  picks utterances from the shipped corpus: no key, no weights, CPU; the default, a baseline
    chatbot    generates with kmi-chatbot, the small dialogue model that comes with KMI
    openai     asks any OpenAI-compatible server: vLLM, Ollama, a paid endpoint
    local      generates with a causal language model in this process
    batch      writes requests to a folder and reads the answers from it, today or next week

    writer = make_writer("openai", base_url="http://127.0.0.1:8000/v1", model="my-model")

Beside them `kmi.writers.dummy_server`, a loopback model server with faults on demand,
for tests, trials and benchmarks.

Not covered: what is asked and how answers are judged (`kmi.simulation`).
"""

import inspect
from importlib import import_module
from typing import Any

from kmi.errors import ConfigError, allowed
from kmi.writers.base import Completion, Cue, NotYet, Writer, WriteRequest

__all__ = ["WRITERS", "Completion", "Cue", "NotYet", "WriteRequest", "Writer", "make_writer"]

WRITERS = {
    "retrieval": ("kmi.writers.retrieval", "RetrievalWriter"),
    "chatbot": ("kmi.writers.chatbot", "ChatbotWriter"),
    "openai": ("kmi.writers.openai_server", "OpenAIServerWriter"),
    "local": ("kmi.writers.local", "LocalWriter"),
    "batch": ("kmi.writers.batch_file", "BatchFileWriter"),
}
"""Name -> module and class, imported when asked for."""


def make_writer(name: str, **options: Any) -> Writer:
    """The writer called `name`, built with `options`.

    Raises:
        ConfigError: unknown writer, or an option it does not have or cannot do without.
    """
    if name not in WRITERS:
        raise ConfigError(f"Expected a writer among {allowed(WRITERS)}; got {name!r}.", "Type for example --writer retrieval.")
    module, class_name = WRITERS[name]
    writer = getattr(import_module(module), class_name)
    signature = inspect.signature(writer)
    try:
        signature.bind(**options)
    except TypeError as error:
        raise ConfigError(f"The writer {name!r}: {error}; its options are {allowed(signature.parameters)}.") from None
    return writer(**options)
