"""The coder's model card: a template filled from the training report, and from nothing else.

`report.json` beside the checkpoint holds every measured number; a test renders it again and compares, so the card cannot drift.
Not covered: the words of the card (`card_template.md`).
"""

from pathlib import Path
from string import Template

TESTS = {
    "test_ko": "KMI 시험 분할, 한국어 / KMI test, Korean",
    "test_en": "KMI 시험 분할, 영어 / KMI test, English",
    "annomi_high": "AnnoMI high, 영어 / English (never seen)",
}
ROLES = {"therapist": "상담자, 8 / therapist", "client": "내담자, 3 / client"}
METHODS = ("majority", "TF-IDF, words", "TF-IDF, characters", "kmi-coder")


def render(report: dict) -> str:
    """The card of a training report, as `scripts/train_coder.py` writes it."""
    ours = {role: report["tests"]["test_ko"]["kmi-coder"][role] for role in ROLES}
    template = Template(Path(__file__).with_name("card_template.md").read_text(encoding="utf-8"))
    return template.substitute(
        {f"{role}_{name}": f"{ours[role][name]:.4f}" for role in ROLES for name in ("accuracy", "macro_f1", "ece")},
        parameters=f"{report['parameters']:,}",
        megabytes=f"{report['bytes'] / 1e6:.1f}",
        turns=f"{report['turns']:,}",
        speed=f"{report['turns_per_second']:,}",
        seed=report["recipe"]["seed"],
        epochs=report["recipe"]["epochs"],
        hardware=report["hardware"],
        minutes=f"{report['seconds'] / 60:.0f}",
        tables=tables(report),
        by_label=_label_table(ours),
    )


def tables(report: dict) -> str:
    """One Markdown table of all tests and methods."""
    lines = ["| 자료 / data | 말하는 이 / speaker | 방법 / method | accuracy | macro-F1 | ECE |", "|---|---|---|---|---|---|"]
    for test, title in TESTS.items():
        for role, role_title in ROLES.items():
            for method in METHODS if test in report["tests"] else ():
                figures = report["tests"][test][method].get(role)
                if figures:
                    cells = " | ".join(f"{figures[name]:.3f}" for name in ("accuracy", "macro_f1", "ece"))
                    lines.append(f"| {title} | {role_title} | {method} | {cells} |")
            second = report["ceiling"].get(role) if test == "test_ko" else None
            if second:
                lines.append(f"| {title} | {role_title} | 두 번째 코더 / second coder ({second['turns']:,}) | {second['accuracy']:.3f} | {second['macro_f1']:.3f} | |")
    return "\n".join(lines)


def _label_table(ours: dict) -> str:
    lines = ["| 표지 / label | F1 |", "|---|---|"]
    return "\n".join([*lines, *(f"| {label} | {f1:.3f} |" for role in ROLES for label, f1 in ours[role]["f1"].items())])
