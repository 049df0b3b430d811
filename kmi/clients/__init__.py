"""Who comes to the session: client cases from real posts or from the catalogue of lives.

    contexts.py    posts read from a file, refused where they hold personal data
    danger.py      does a post speak of danger to life (word list `danger_words.txt`)
    catalogue.py   the subtopics and axes under `catalogue/*.toml`
    cases.py       a seeded draw of profile, arc and ending for a post or a catalogue life

`sample_posts.jsonl` holds six posts for the quickstart.
"""
