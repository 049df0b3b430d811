"""The corpus: dialogues read from any supported file, checked, built into the dataset, loaded.

`notation` reads and writes the compact text notation, `readers` other people's files and
`annomi` the AnnoMI table; `sources` puts texts, packets and second codes together; `build`
compiles them to Parquet, `card` writes the dataset cards, `load` gives the dataset to users.
Modules ending in `checks` say what is wrong with a dialogue.

Not covered: writing dialogues (`kmi.simulation`) and measuring them (`kmi.metrics`).
"""
