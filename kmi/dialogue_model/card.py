"""The chatbot's model card: a template filled from the report, and from nothing else.

`report.json` beside the checkpoint holds every measured number; a test renders it again and compares, so the card cannot drift.
Not covered: the words of the card (`card_template.md`, `training_notes.md`).
"""

from pathlib import Path
from string import Template

from kmi.dialogue_model.format import OPENINGS

HERE = Path(__file__).parent
COLUMNS = ("agreement", "copied", "unanswered", "distinct_2")


def render(report: dict) -> str:
    """The card of a report, as `scripts/evaluate_models.py` writes it."""
    training, writers = report["training"], report["writers"]
    return Template((HERE / "card_template.md").read_text(encoding="utf-8")).substitute(
        parameters=f"{training['parameters']:,}",
        megabytes=f"{training['bytes'] / 1e6:.1f}",
        seed=training["recipe"]["seed"],
        epochs=training["recipe"]["epochs"],
        hardware=training["hardware"],
        minutes=f"{training['seconds'] / 60:.0f}",
        drafts=report["drafts"],
        turns=f"{writers['chatbot']['turns']:,}",
        agreement=f"{writers['chatbot']['agreement']:.4f}",
        agreement_one=f"{writers['chatbot, one draft']['agreement']:.4f}",
        copied=f"{writers['chatbot']['copied']:.4f}",
        perplexity=f"{report['perplexity_per_character']:.3f}",
        trigram=f"{report['trigram_perplexity_per_character']:.3f}",
        first_token=f"{report['seconds_to_first_token']:.2f}",
        whole=f"{report['seconds_for_40_tokens']:.2f}",
        openings=", ".join(f"`{mark}`" for mark in OPENINGS.values()),
        tables=tables(report),
        readings=_readings(report.get("readings")),
        examples=_examples(report["examples"]),
        notes=(HERE / "training_notes.md").read_text(encoding="utf-8").strip(),
    )


def tables(report: dict) -> str:
    """One Markdown table of all writers."""
    lines = ["| 쓴 이 / writer | 말 / turns | 표지 일치 / label agreement | 베낌 / copied | 빈 답 / unanswered | distinct-2 | 글자 / characters | 초 / seconds |", "|" + "---|" * 8]
    for name, row in report["writers"].items():
        shares = " | ".join(f"{row[column]:.3f}" for column in COLUMNS)
        lines.append(f"| {name} | {row['turns']:,} | {shares} | {row['characters']:.0f} | {row['seconds']:.2f} |")
    return "\n".join(lines)


def _readings(readings: dict | None) -> str:
    """What blind readers found, where there were any."""
    if not readings:
        return "아직 아무도 눈을 가리고 읽지 않았습니다. Not yet read blind."
    lines = [
        f"눈을 가린 읽기: 언어 모델 {readings['readers']}명이 누가 썼는지 모른 채 {readings['pairs']}쌍을 0-6으로 매겼습니다(사람이 아닙니다). Blind reading by {readings['readers']} language models, not people, {readings['pairs']} pairs, 0-6.",
        "",
        "| 쓴 이 / writer | 유창함 / fluency | 관련 / relevance |",
        "|---|---|---|",
        *(f"| {name} | {row['fluency']:.2f} | {row['relevance']:.2f} |" for name, row in readings["means"].items()),
        "",
        f"기본 작가는 **{readings['default']}** 입니다. The default writer is **{readings['default']}**.",
    ]
    return "\n".join(lines)


def _examples(examples: list[dict]) -> str:
    lines = ["| 앞말 / said before | 표지 / label | kmi-chatbot | 검색 / retrieval |", "|---|---|---|---|"]
    return "\n".join([*lines, *("| " + " | ".join(row[name].replace("|", "/") for name in ("said", "label", "chatbot", "retrieval")) + " |" for row in examples)])
