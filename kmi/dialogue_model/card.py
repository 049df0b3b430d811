"""The chatbot's model card: a template filled from the report, and from nothing else.

`report.json` beside the checkpoint holds every measured number; a test renders it again and compares, so the card cannot drift.
Not covered: the words of the card (`card_template.md`, `training_notes.md`).
"""

from pathlib import Path
from string import Template

from kmi.dialogue_model.format import OPENINGS
from kmi.metrics.blind import table

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
        minutes=f"{training['seconds'] / training['steps_timed'] * training['steps'] / 60:.0f}",
        steps=f"{training['steps']:,}",
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
        readings=readings(report.get("readings")),
        worst=_worst((report.get("readings") or {}).get("worst", [])),
        ratings=_ratings(report.get("ratings")),
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


def readings(found: dict | None) -> str:
    """What blind readers found, where there were any."""
    if not found:
        return "아직 아무도 눈을 가리고 읽지 않았습니다. Not yet read blind."
    lines = [
        f"눈을 가린 읽기: 언어 모델 {found['readers']}명이 누가 썼는지 모른 채 {found['pairs']}쌍을 0-6으로 매겼습니다(사람이 아닙니다). Blind reading by {found['readers']} language models, not people, {found['pairs']} pairs, 0-6.",
        "",
        "| 쓴 이 / writer | 유창함 / fluency | 관련 / relevance |",
        "|---|---|---|",
        *(f"| {name} | {_mean(row, 'fluency')} | {_mean(row, 'relevance')} |" for name, row in found["means"].items()),
        "",
        f"기본 작가는 **{found['default']}** 입니다. The default writer is **{found['default']}**.",
    ]
    return "\n".join(lines)


def _ratings(found: dict | None) -> str:
    """What raters of whole sessions found, where there were any."""
    if not found:
        return "아직 아무도 회기를 매기지 않았습니다. No sessions were rated yet."
    return (
        f"언어 모델 {len(found['raters'])}명(사람이 아닙니다)이 출처를 모른 채 1-5로 매긴 회기의 평균과 95% 구간입니다. `written`은 데이터셋의 시험 분할, `chatbot`은 같은 사연에서 kmi-chatbot이 "
        f"두 사람을 다 맡은 회기입니다. Whole sessions rated 1-5 by {len(found['raters'])} language models, not people, who did not know the source; alpha and ICC over all sessions.\n\n{table(found)}"
    )


def _worst(rows: list[dict]) -> str:
    lines = ["| 앞말 / said before | 표지 / label | kmi-chatbot | 유창함 / fluency | 관련 / relevance |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {_plain(row['said'])} | {row['label']} | {_plain(row['answer'])} | {row['fluency']:.1f} | {row['relevance']:.1f} |" for row in rows)])


def _plain(text: str) -> str:
    """A text that ends no cell of a table."""
    return text.replace("|", "/")


def _mean(row: dict, aspect: str) -> str:
    low, high = row[f"{aspect}_interval"]
    return f"{row[aspect]:.2f} ({low:.2f}-{high:.2f})"


def _examples(examples: list[dict]) -> str:
    lines = ["| 앞말 / said before | 표지 / label | kmi-chatbot | 검색 / retrieval |", "|---|---|---|---|"]
    return "\n".join([*lines, *("| " + " | ".join(_plain(row[name]) for name in ("said", "label", "chatbot", "retrieval")) + " |" for row in examples)])
