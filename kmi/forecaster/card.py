"""The model card: a template filled from the training report, and from nothing else.

`report.json` beside the checkpoint holds every measured number; a test renders it again
and compares, so the card cannot drift. Not covered: the words of the card (`card_template.md`).
"""

import json
from pathlib import Path
from string import Template

from kmi.forecaster import evaluation, korean
from kmi.forecaster.crossval import OURS, figures_table
from kmi.metrics.forecasting import Scores

PLOT = "calibration.png"
FIGURES = ("recall_at_3", "macro_f1", "accuracy", "perplexity", "ece")


def render(report: dict) -> str:
    """The card of a training report, as `scripts/train_forecaster.py` writes it."""
    recipe, folds = report["recipe"], report["five_folds"]
    scores, in_korean = folds["overall"][OURS], report["korean"]["overall"][OURS]
    template = Template(Path(__file__).with_name("card_template.md").read_text(encoding="utf-8"))
    return template.substitute(
        {name: f"{scores[name]:.4f}" for name in FIGURES} | {f"korean_{name}": f"{in_korean[name]:.4f}" for name in FIGURES},
        parameters=f"{report['parameters']:,}",
        megabytes=f"{report['bytes'] / 1e6:.1f}",
        sessions=report["sessions"],
        examples=f"{report['examples']:,}",
        seed=recipe["seed"],
        members=recipe["members"],
        session_percent=round(100 * recipe["session_share"]),
        wordless_percent=round(100 * recipe["wordless_share"]),
        incomplete_percent=round(100 * recipe["incomplete_share"]),
        hardware=report["hardware"],
        seconds=round(report["seconds"]),
        forecasts=f"{folds['forecasts']:,}",
        telling=f"{folds['forecasts'] - _count(folds['by_label'], 'General'):,}",
        overall=figures_table(folds["overall"]),
        without_general=figures_table(folds["without_general"]),
        by_label=_label_table(folds["by_label"]),
        recall_interval=_interval(folds, "recall_at_3"),
        f1_interval=_interval(folds, "macro_f1"),
        perplexity_interval=_interval(folds, "perplexity"),
        korean_recall_interval=_interval(report["korean"], "recall_at_3"),
        korean_examples=f"{report['korean_examples']:,}",
        korean_forecasts=f"{report['korean']['forecasts']:,}",
        planned_recall=f"{report['korean']['planned_recall_at_3']:.3f}",
        korean=evaluation.table([(name, Scores(**report["korean"]["overall"][name])) for name in korean.METHODS]),
        misses=_misses(report["korean"]["misses"]),
        ablation=evaluation.table([(f"{name} hidden", Scores(**row)) for name, row in report["ablation"].items()]),
    )


def save_plot(report: dict, folder: Path) -> None:
    """Draws `calibration.png` into the folder of the checkpoint; what it was drawn from stands in the file, so that a stale one is found."""
    from kmi.metrics.plots import calibration_plot

    panels = reliability(report)
    calibration_plot(panels).savefig(folder / PLOT, dpi=120, metadata={"Description": json.dumps(panels)})


def reliability(report: dict) -> dict[str, list[dict]]:
    """The bins of both tables, by the panel's title."""
    return {"AnnoMI, five folds": report["five_folds"]["reliability"], "KMI test": report["korean"]["reliability"]}


def _misses(rows: list[dict]) -> str:
    lines = ["| 앞말 / said before | 예측 / forecast | 실제 / realised | 그 확률 / its probability |", "|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {row['before']} | {', '.join(row['forecast'])} | {row['label']}: {row['said']} | {row['probability']:.3f} |" for row in rows)])


def _interval(figures: dict, name: str) -> str:
    low, high = figures["intervals"][name]
    return f"{low:.3f}-{high:.3f}"


def _count(rows: list[dict], label: str) -> int:
    return next(row["count"] for row in rows if row["label"] == label)


def _label_table(rows: list[dict]) -> str:
    lines = ["| label | turns | ranked first | precision | recall | F1 | recall@3 |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        figures = " | ".join(f"{row[name]:.3f}" for name in ("precision", "recall", "f1", "recall_at_3"))
        lines.append(f"| {row['label']} | {row['count']} | {row['ranked_first']} | {figures} |")
    return "\n".join(lines)
