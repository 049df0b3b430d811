"""Simulated sessions: forecaster ranks, policy decides, writers speak, checks guard.

    track.py       before a word is said: length, processes, client talk along the arc
    decision.py    from the forecaster's ranking to one label, with its reason
    director.py    one session: what comes next, what was said
    prompting.py   Korean prompts from `prompts/`; answers.py reads what comes back
    turn_mode.py   utterance by utterance; plan_mode.py whole sessions from a packet
    runner.py      many sessions at once; ledger.py, run_folder.py and lines.py make it resumable
    estimate.py    what a run will ask for, before it asks
"""
