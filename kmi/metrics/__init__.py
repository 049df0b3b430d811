"""Measures of motivational interviewing, as pure functions over labelled dialogues.

Dialogues become arrays (`coded`, from any form by `inputs`); figures are functions of counts with intervals (`scores`):

- `fidelity`, `change_talk`, `sequences`, `forecasting`: what therapist and client do
- `agreement`, `ratings` (with `rubric`, `ratings_form`, `judge`): what coders and raters say
- `bands`, `sensitivity`: what to compare with, and which figures tell good from poor
- `report`, `plots`, `module`, `demo`: how it is shown

Not covered: assigning labels to text (`kmi.coder`) and judging single utterances (`kmi.corpus.utterance_checks`).
"""
