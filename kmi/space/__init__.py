"""The Gradio Space: seven tabs over the rest of KMI, Korean first, English by a switch.

`app.build()` gives the page; `spaces/kmi/app.py` launches it. Each tab is one module: `chat`, `practise`, `forecast`, `analyse`, `explore`,
`simulate`, `about`. `page` holds the language switch, `words` every visible word, `markup` what is HTML, `engine` the models that all
visitors share. Nothing a visitor types is stored, and nothing is fetched from outside.

Not covered: the metrics', forecaster's and guard's work, which is done where it is done for everybody.
"""
