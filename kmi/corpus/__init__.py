"""The corpus: dialogues read from any supported file, checked, built into the dataset, loaded.

`notation` reads and writes the compact text notation, `readers` everything KMI can read,
`annomi` among it; `sources` puts texts, packets and second codes together. `tables` says what
the dataset holds, `build` compiles it to Parquet, `card` and `statistics` write its cards,
`load` gives it to users. Modules ending in `checks`, `korean` and `repetition` say what is
wrong with dialogues.

Not covered: writing dialogues (`kmi.simulation`) and measuring them (`kmi.metrics`).
"""
