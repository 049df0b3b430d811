"""AnnoMI (Wu et al. 2022, 2023) as KMI dialogues: 133 English demonstration sessions.

Two public files hold the sessions: the AnnoMI table, one row per utterance and
annotator, and the reference framework's JSON, the same sessions with the 8 KMI labels
(AnnoMI's gold behaviours, with Affirm, Give Information and Advise from a classifier).
`with_kmi_labels` joins them: labels from the JSON, three-way client talk from the table.

AnnoMI comes without a licence: its text is read here and never shipped with KMI.
Not covered: fetching the files (`scripts/prepare_annomi.py`), features and folds
(`kmi.forecaster`).
"""

import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from kmi.codes import THERAPIST_LABELS, crosswalk, talk_crosswalk
from kmi.dialogue import Dialogue, Provenance, Utterance, read_jsonl, validate
from kmi.errors import ConfigError, DataError, allowed

CSV_NAME = "AnnoMI-full.csv"
KMI8_NAMES = {"high": "annomi_kmi8_high.json", "low": "annomi_kmi8_low.json"}
PREPARED_NAMES = {"high": "annomi_high.jsonl", "low": "annomi_low.jsonl"}
COLUMNS = (
    "mi_quality", "transcript_id", "topic", "utterance_id", "interlocutor", "utterance_text", "annotator_id",
    "therapist_input_subtype", "reflection_subtype", "question_subtype", "main_therapist_behaviour",
    "client_talk_type",
)  # fmt: skip
SUBTYPED = ("question", "reflection", "therapist_input")
# The JSON lacks these marks, with them the utterances that consist of nothing else, and spaces it differently.
UNINTELLIGIBLE_OR_SPACE = re.compile(r"\[unintelligible[^\]]*\]|\s+")


def read_annomi_csv(path: str | Path) -> Iterator[Dialogue]:
    """Yields the sessions of AnnoMI's public table, one vote per utterance.

    Where several annotators coded an utterance the majority counts, on a tie the
    annotator listed first. Behaviours become KMI labels through the crosswalk; AnnoMI's
    "other" hides affirmations and becomes General. English text only; `category` is ""
    as no session belongs to a KMI category, `provenance.mode` holds AnnoMI's judgement
    of the session, "high" or "low".

    Raises:
        DataError: if the table is missing or damaged, naming line or transcript.
    """
    for transcript, rows in _grouped(Path(path)).items():
        where = f"{path}, transcript {transcript!r:.60}"
        dialogue = Dialogue(
            id=f"annomi-{transcript}",
            category="",
            context=rows[0][0]["topic"],
            utterances=tuple(_voted_utterance(votes, f"{where}, utterance {votes[0]['utterance_id']}") for votes in rows),
            provenance=Provenance(writer="annomi", mode=rows[0][0]["mi_quality"]),
        )
        validate(dialogue, where=where)
        yield dialogue


def read_annomi_kmi8(path: str | Path, *, quality: str = "high") -> Iterator[Dialogue]:
    """Yields the sessions of the reference authors' JSON with the 8 KMI labels.

    `Other` is General. Client turns are only Change or Not Change there, so `talk` is
    "change" or None; see `with_kmi_labels` for the three types. The JSON does not name
    the session's quality, each file holds one: pass it as `quality`.

    Raises:
        DataError: if the file is missing or damaged, naming the session.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"Expected the JSON of AnnoMI sessions with KMI labels at {path}, found none.", "Check the path.")
    try:
        sessions = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not valid JSON ({error}).") from None
    if not isinstance(sessions, list):
        raise DataError(f"{path}: expected a list of sessions, got {sessions!r:.80}.")
    for i, session in enumerate(sessions):
        try:
            number, turns = session["dialogue_id"], [(turn["speaker"], turn["utterance"], turn["label"]) for turn in session["dialogue"]]
        except (KeyError, TypeError) as error:
            raise DataError(f"{path}, session {i}: expected dialogue_id and dialogue[speaker, utterance, label]; {error}.") from None
        where = f"{path}, dialogue {number!r:.60}"
        dialogue = Dialogue(
            id=f"annomi-{number}",
            category="",
            context="",
            utterances=tuple(_kmi8_utterance(*turn, where) for turn in turns),
            provenance=Provenance(writer="annomi", mode=quality),
        )
        validate(dialogue, where=where)
        yield dialogue


def with_kmi_labels(table_path: str | Path, kmi8: Iterable[Dialogue]) -> Iterator[Dialogue]:
    """Gives each session of `read_annomi_kmi8` the table's topic and three-way client talk.

    Utterances are matched in order by their text; the table's extra ones, nothing but
    "[unintelligible]", drop out. Change or not stays as the JSON says; where it says
    "not", the annotators' majority between sustain and neutral decides.
    """
    topics: dict[str, str] = {}
    votes: dict[str, list[tuple[str, list[str]]]] = {}
    for transcript, rows in _grouped(Path(table_path)).items():
        topics[f"annomi-{transcript}"] = rows[0][0]["topic"]
        texts = ((_bare(row[0]["utterance_text"]), [vote["client_talk_type"] for vote in row]) for row in rows)
        votes[f"annomi-{transcript}"] = [(text, talk) for text, talk in texts if text]
    for dialogue in kmi8:
        ours = votes.get(dialogue.id, [])
        if [text for text, _ in ours] != [_bare(turn.text) for turn in dialogue.utterances]:
            raise DataError(f"{dialogue.id}: the AnnoMI table and the JSON do not hold the same utterances.")
        turns = (_with_talk(turn, talk, dialogue.id) for turn, (_, talk) in zip(dialogue.utterances, ours, strict=True))
        yield replace(dialogue, context=topics[dialogue.id], utterances=tuple(turns))


def load_annomi(folder: str | Path, quality: str = "high") -> list[Dialogue]:
    """AnnoMI sessions with the 8 labels and three-way talk, from a prepared or a raw folder.

    Args:
        folder: what `scripts/prepare_annomi.py --out` wrote, or a folder that holds the
            table and the two JSON files as published.
        quality: "high" (110 sessions) or "low" (23).
    """
    folder = Path(folder)
    if quality not in PREPARED_NAMES:
        raise ConfigError(f"Expected an AnnoMI quality among {allowed(PREPARED_NAMES)}, got {quality!r}.")
    if (folder / PREPARED_NAMES[quality]).is_file():
        return list(read_jsonl(folder / PREPARED_NAMES[quality]))
    if (folder / KMI8_NAMES[quality]).is_file() and (folder / CSV_NAME).is_file():
        return list(with_kmi_labels(folder / CSV_NAME, read_annomi_kmi8(folder / KMI8_NAMES[quality], quality=quality)))
    raise ConfigError(
        f"Expected {PREPARED_NAMES[quality]}, or {CSV_NAME} with {KMI8_NAMES[quality]}, in {folder}; found neither.",
        "Run: python scripts/prepare_annomi.py --out DIR, then pass --annomi DIR or set KMI_ANNOMI=DIR.",
    )


def session_number(dialogue: Dialogue) -> str:
    """AnnoMI's transcript id, the key of the fold file."""
    return dialogue.id.removeprefix("annomi-")


def _rows(path: Path) -> Iterator[dict]:
    if not path.is_file():
        raise DataError(f"Expected AnnoMI's table at {path}, found none.", "It is published as AnnoMI-full.csv.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
            if missing:
                raise DataError(f"{path}: column {missing[0]!r} is missing.", "AnnoMI-full.csv is needed, not the short form.")
            for row in reader:
                # As many digits as an integer of a database has: Python refuses to read thousands.
                if not re.fullmatch(r"\d{1,18}", row["utterance_id"]):
                    raise DataError(f"{path}, line {reader.line_num}: expected a number as utterance_id, got {row['utterance_id']!r:.60}.")
                yield row
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 ({error.reason}).", "Save it as UTF-8.") from None
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.reader.line_num}: not valid CSV ({error}).") from None


def _grouped(path: Path) -> dict[str, list[list[dict]]]:
    """For each transcript its utterances in order, each as the rows of its annotators."""
    sessions: dict[str, dict[int, list[dict]]] = defaultdict(lambda: defaultdict(list))
    for row in _rows(path):
        sessions[row["transcript_id"]][int(row["utterance_id"])].append(row)
    return {transcript: [votes[i] for i in sorted(votes)] for transcript, votes in sessions.items()}


def _voted_utterance(votes: list[dict], where: str) -> Utterance:
    role, text = votes[0]["interlocutor"], votes[0]["utterance_text"]
    if role == "client":
        talk = _majority(_talk(vote["client_talk_type"], where) for vote in votes)
        return Utterance(role=role, utterance_ko="", utterance_en=text, talk=talk)
    return Utterance(role=role, utterance_ko="", utterance_en=text, label=_majority(_label(vote, where) for vote in votes))


def _label(row: dict, where: str) -> str:
    behaviour = row["main_therapist_behaviour"]
    if row.get(f"{behaviour}_subtype") == "n/a":
        # Three rows name a main behaviour without its subtype; another one in the row has it, if any.
        behaviour = next((other for other in SUBTYPED if row[f"{other}_subtype"] != "n/a"), "other")
    code = f"{behaviour}/{row[f'{behaviour}_subtype']}" if behaviour in SUBTYPED else behaviour
    counterparts = crosswalk("annomi", to_kmi=True)
    if code not in counterparts:
        raise DataError(f"{where}: expected an AnnoMI behaviour among {allowed(counterparts)}, got {code!r}.")
    return counterparts[code][0]


def _talk(code: str, where: str) -> str:
    talk = talk_crosswalk("annomi")
    if code not in talk:
        raise DataError(f"{where}: expected an AnnoMI client talk type among {allowed(talk)}, got {code!r}.")
    return talk[code]


def _kmi8_utterance(role: str, text: str, label: str, where: str) -> Utterance:
    if role == "client":
        if label not in ("Change", "Not Change"):
            raise DataError(f"{where}: expected client label Change or Not Change, got {label!r}.")
        return Utterance(role=role, utterance_ko="", utterance_en=text, talk="change" if label == "Change" else None)
    label = "General" if label == "Other" else label
    if label not in THERAPIST_LABELS:
        raise DataError(f"{where}: expected a therapist label among {allowed(THERAPIST_LABELS)}, got {label!r}.")
    return Utterance(role=role, utterance_ko="", utterance_en=text, label=label)


def _with_talk(turn: Utterance, votes: list[str], where: str) -> Utterance:
    if turn.role != "client" or turn.talk:
        return turn
    fitting = [talk for code in votes if (talk := _talk(code, where)) != "change"]
    return replace(turn, talk=_majority(fitting) if fitting else "neutral")


def _bare(text: str) -> str:
    return UNINTELLIGIBLE_OR_SPACE.sub("", text)


def _majority(values: Iterable[str]) -> str:
    # Counter keeps first-seen order, so a tie goes to the annotator listed first.
    return Counter(values).most_common(1)[0][0]
