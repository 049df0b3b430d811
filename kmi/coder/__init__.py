"""The MI coder: which of the 8 labels a therapist turn is, which talk type a client turn is, from its words.

    from kmi.coder import Coder
    coder = Coder.from_pretrained()
    for turn in coder.code_turns([("therapist", "요즘 잠은 어떠세요?"), ("client", "별로 못 자요.")]):
        print(turn.label, round(turn.probability, 2))

An ordinary transformers checkpoint in `model_cards/kmi-coder/`, trained from scratch on the dataset's train split.
Not covered: codes as people or language models gave them (`kmi.corpus`), what is counted of codes (`kmi.metrics`).
"""

from kmi.coder.api import CodedTurn, Coder

__all__ = ["CodedTurn", "Coder"]
