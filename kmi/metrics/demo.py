"""A small page for each metric: paste a labelled transcript, read the figures.

Used by `evaluate_metrics/<name>/app.py` on the Hub. Not covered: the KMI Space (`spaces/`).
"""

import json
import tempfile
from pathlib import Path

import evaluate

from kmi.errors import KmiError, MissingExtra

HERE = Path(__file__).parents[2] / "evaluate_metrics"
LINES = """T OQ | 오늘은 어떤 이야기로 시작할까요?
C sustain | 별로 할 말이 없어요. 저는 문제 없다고 봐요.
T CR | 등 떠밀려 오신 자리라 말을 꺼낼 마음이 더 안 나시겠어요.
C change/reason | 그렇긴 한데, 요즘 잠을 못 자서 힘들긴 해요."""
RATINGS = json.dumps([{"dialogue": "a", "rater": "kim", "item": "miti.empathy", "score": 4, "kind": "human"}], ensure_ascii=False)
CODES = json.dumps([["SR", "SR"], ["SR", "CR"], ["CR", "CR"]])
FORECASTS = json.dumps([{"prediction": {"Open Question": 0.6, "Affirm": 0.4}, "reference": "Affirm", "dialogue": "a"}])
# What the box holds at first, and how its text becomes the module's input.
EXAMPLES = {"mi_ratings": RATINGS, "mi_agreement": CODES, "mi_forecasting": FORECASTS}


def demo(name: str, module: str | None = None):
    """A Gradio page for the metric `name`; `module` is where `evaluate` finds it, by default beside `app.py`."""
    try:
        import gradio
    except ImportError:
        raise MissingExtra("The demonstration page", "gradio", "space") from None
    metric = evaluate.load(module or str(HERE / name if HERE.is_dir() else Path(f"{name}.py").resolve()))

    def run(text: str) -> str:
        try:
            return json.dumps(metric.compute(**inputs(name, text)), ensure_ascii=False, indent=2)
        except KmiError as error:
            return str(error)

    with gradio.Blocks(title=name) as page:
        gradio.Markdown(f"# {name}\n\n{metric.description}\n\n힘든 마음이라면 109(자살예방 상담전화, 24시간). In distress in Korea: call 109.")
        box = gradio.Textbox(EXAMPLES.get(name, LINES), lines=10, label="입력 / input")
        gradio.Button("재기 / measure").click(run, box, gradio.Code(label="결과 / result", language="json"), api_name="measure")
    return page


def inputs(name: str, text: str) -> dict:
    """The module's arguments from what was typed: JSON, or lines of the compact notation or a transcript."""
    if name not in EXAMPLES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "transcript.txt"
            path.write_text(text if text.lstrip().startswith(("#{", "[", "{")) else f'#{{"id": "typed"}}\n{text}', encoding="utf-8")
            from kmi.metrics.inputs import plain_dialogues

            return {"dialogues": plain_dialogues(path)}
    try:
        rows = json.loads(text)
    except ValueError as error:
        raise KmiError(f"Expected JSON as in the example, could not read it ({error}).") from None
    if name == "mi_ratings":
        return {"ratings": rows}
    if name == "mi_agreement":
        return {"codes": rows}
    columns = ("prediction", "reference", "dialogue")
    if not isinstance(rows, list) or not all(isinstance(row, dict) and set(columns) <= set(row) for row in rows):
        raise KmiError("Expected a list of objects with prediction, reference and dialogue, as in the example.")
    return {f"{column}s": [row[column] for row in rows] for column in columns}
