"""Measures of motivational interviewing, as pure functions over labelled dialogues.

`behaviour` counts what therapist and client do and gives the ratios of the MI fidelity
literature: reflections to questions, complex reflections, open questions, change talk.

Not covered: assigning labels to text (the coder) and judging single utterances
(`kmi.corpus.utterance_checks`).
"""
