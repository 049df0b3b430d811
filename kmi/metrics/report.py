"""Everything the metrics say about a set of dialogues, as one report: dictionary, text or HTML page.

Not covered: ratings and agreement, which need raters (`ratings`, `agreement`), and forecasts (`forecasting`).
"""

import html
import json
from dataclasses import dataclass

from kmi.metrics.bands import BANDS, band
from kmi.metrics.change_talk import ChangeTalk, change_talk
from kmi.metrics.coded import CodedDialogues
from kmi.metrics.fidelity import Fidelity, fidelity
from kmi.metrics.scores import USUAL, Resampling, Score
from kmi.metrics.sequences import Sequences, sequences

TITLES = {
    "reflection_to_question": "반영:질문 / reflections to questions (R:Q)",
    "complex_share": "반영 중 복합 반영 / complex share of reflections",
    "open_share": "질문 중 열린 질문 / open share of questions",
    "miti_4_2_1.adherent_share": "MI 부합 (MITI 4.2.1) / MI-adherent share",
    "miti_4_2_1.non_adherent_share": "MI 비부합 (MITI 4.2.1) / MI-non-adherent share",
    "miti_3_1.adherent_share": "MI 부합 (MITI 3.1) / MI-adherent share",
    "misc_2_5.consistent_share": "MI 일치 (MISC 2.5) / MI-consistent share",
    "distance_to_annomi_high": "전문 상담자의 표지 분포와의 거리 / distance to AnnoMI high",
    "change_share": "내담자 발화 중 변화 대화 / change talk, share of client turns",
    "sustain_share": "내담자 발화 중 유지 대화 / sustain talk, share of client turns",
    "change_to_sustain_share": "변화 / (변화 + 유지) · change talk / (change + sustain talk)",
    "trajectory.first": "처음 1/3의 변화 대화 / change talk, first third",
    "trajectory.middle": "가운데 1/3의 변화 대화 / change talk, middle third",
    "trajectory.last": "마지막 1/3의 변화 대화 / change talk, last third",
    "slope": "회기 동안의 오름 / rise over the session",
    "mobilising_share": "변화 대화 중 결심·활성화·실행 / mobilising share of change talk",
    "dialogues_with_change": "변화 대화가 있는 회기 / sessions with change talk",
    "first_change": "첫 변화 대화의 자리 (0-1) / where the first comes",
    "sustain_after_change": "변화 대화 뒤의 유지 대화 / sustain talk after change talk",
    "relapse": "마지막 1/3에 유지 대화로 돌아온 회기 / sessions relapsing in the last third",
    "late_commitment": "마지막 1/3에 다짐이 있는 회기 / sessions with late commitment",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and the figures of `TITLES` by name in `scores`."""

    fidelity: Fidelity
    talk: ChangeTalk
    sequences: Sequences

    @property
    def scores(self) -> dict[str, Score]:
        """Every figure by its name in `TITLES`."""
        talk = {name: getattr(self.talk, name) for name in TITLES if hasattr(self.talk, name)}
        thirds = {f"trajectory.{name}": value for name, value in self.talk.trajectory.items()}
        found = {**self.fidelity.ratios, "distance_to_annomi_high": self.fidelity.distance_to_annomi_high, **talk, **thirds}
        return {name: found[name] for name in TITLES}

    def to_dict(self) -> dict:
        """The JSON form, with the reference bands."""
        return {
            "fidelity": self.fidelity.to_dict(),
            "change_talk": self.talk.to_dict(),
            "sequences": self.sequences.to_dict(),
            "bands": {name: band(name) for name in BANDS},
        }


def report(coded: CodedDialogues, resampling: Resampling = USUAL) -> Report:
    """Fidelity, client talk and lag-1 sequences of coded dialogues."""
    return Report(fidelity(coded, resampling), change_talk(coded, resampling), sequences(coded, 1, resampling))


def as_text(found: Report) -> str:
    """The report for a terminal; "-" is undefined, with its reason."""
    bands = {name: band(name) for name in BANDS}
    lines = [f"{found.fidelity.dialogues:,} sessions, {found.fidelity.turns:,} therapist turns, {found.talk.client_turns:,} client turns", ""]
    lines += [f"{name:<48}{count:>8,}{_share(found.fidelity.shares[name]):>8}" for name, count in found.fidelity.counts.items()]
    lines += [""] + [f"{name:<48}{count:>8,}{_part(count, found.talk.client_turns):>8}" for name, count in found.talk.counts.items()]
    lines += ["", f"{'figure [95% interval]':<48}{'':>24}" + "".join(f"{title:>18}" for title in BANDS.values())]
    for name, score in found.scores.items():
        beside = "".join(f"{_number(bands[column].get(name)):>18}" for column in BANDS)
        lines.append(f"{name:<48}{score!s:>24}{beside}" + (f"  {score.reason}" if score.value is None else ""))
    lines += ["", "thresholds (expert opinion)", *_verdict_lines(found)]
    lines += ["", f"{'next client turn after ...':<36}{'P(change)':>24}{'Yule Q':>24}{'P(sustain)':>24}"]
    for label, after in found.sequences.after["change"].items():
        sustain = found.sequences.after["sustain"][label].probability
        lines.append(f"  {label:<34}{after.probability!s:>24}{after.yules_q!s:>24}{sustain!s:>24}")
    return "\n".join(lines)


def as_html(found: Report, title: str) -> str:
    """The report as one page that needs nothing from outside; `title` may be anything a user typed."""
    return _PAGE.format(title=html.escape(title), body=body_html(found))


def body_html(found: Report) -> str:
    """The tables of the page, for a page of one's own."""
    bands = {name: band(name) for name in BANDS}
    rows = "".join(
        f"<tr><th scope=row>{html.escape(TITLES[name])}{_small(score.reason)}</th><td>{score}</td>"
        + "".join(f"<td>{_number(bands[column].get(name))}</td>" for column in BANDS)
        + "</tr>"
        for name, score in found.scores.items()
    )
    labels = "".join(
        f"<tr><th scope=row>{html.escape(name)}</th><td>{count:,}</td><td>{found.fidelity.shares[name]}</td></tr>"
        for name, count in found.fidelity.counts.items()
    )
    after = "".join(
        f"<tr><th scope=row>{html.escape(label)}</th><td>{of.probability}</td><td>{of.yules_q}</td>"
        f"<td>{found.sequences.after['sustain'][label].probability}</td></tr>"
        for label, of in found.sequences.after["change"].items()
    )
    return _BODY.format(
        sessions=f"{found.fidelity.dialogues:,}",
        therapist=f"{found.fidelity.turns:,}",
        client=f"{found.talk.client_turns:,}",
        bands="".join(f"<th scope=col>{html.escape(name)}</th>" for name in BANDS.values()),
        rows=rows,
        labels=labels,
        verdicts="".join(f"<li>{html.escape(line.strip())}</li>" for line in _verdict_lines(found)),
        after=after,
    )


def as_json(found: Report) -> str:
    """The report as JSON."""
    return json.dumps(found.to_dict(), ensure_ascii=False, indent=2)


def _verdict_lines(found: Report) -> list[str]:
    return [
        f"  {instrument} {name}: {level or 'unknown'}"
        for instrument, levels in found.fidelity.verdicts.items()
        for name, level in levels.items()
    ]


def _small(reason: str) -> str:
    """Why a figure is undefined, under its name: a column of its own would be all there is to see on a phone."""
    return f"<small>{html.escape(reason)}</small>" if reason else ""


def _share(score: Score) -> str:
    return "-" if score.value is None else f"{score.value:.3f}"


def _part(count: int, whole: int) -> str:
    return f"{count / whole:.3f}" if whole else "-"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


_PAGE = """<!doctype html>
<html lang="ko"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font-family: "Apple SD Gothic Neo", "Malgun Gothic", "NanumGothic", sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; line-height: 1.5; color: #1c2733; }}
table {{ border-collapse: collapse; width: 100%; margin: 1rem 0; font-variant-numeric: tabular-nums; }}
th, td {{ border-bottom: 1px solid #d5dbe1; padding: .35rem .5rem; text-align: left; vertical-align: top; }}
td {{ white-space: nowrap; }} small {{ display: block; font-weight: normal; color: #52606d; }}
.wide {{ overflow-x: auto; }}
</style></head><body>
<h1>{title}</h1>
{body}</body></html>
"""
_BODY = """<p>회기 {sessions} · 상담자 발화 {therapist} · 내담자 발화 {client}<br>sessions {sessions}, therapist turns {therapist}, client turns {client}. [ ]: 95% bootstrap over sessions.</p>
<div class=wide><table><thead><tr><th scope=col>지표 / figure</th><th scope=col>값 / value</th>{bands}</tr></thead><tbody>{rows}</tbody></table></div>
<h2>기준 / thresholds</h2><p>전문가의 의견이지 판정이 아닙니다. Expert opinion, not a verdict.</p><ul>{verdicts}</ul>
<h2>상담자 표지 / therapist labels</h2><div class=wide><table><thead><tr><th scope=col>표지 / label</th><th scope=col>수 / count</th><th scope=col>비율 / share</th></tr></thead><tbody>{labels}</tbody></table></div>
<h2>다음 내담자의 말 / what the client says next</h2><div class=wide><table><thead><tr><th scope=col>표지 뒤 / after</th><th scope=col>P(변화 / change)</th><th scope=col>Yule's Q</th><th scope=col>P(유지 / sustain)</th></tr></thead><tbody>{after}</tbody></table></div>
"""
