"""Client posts read from a file.

Three forms: JSONL with `context` and optionally `category` and `profile`; a JSON list of
the same; plain text, one post a line. A post that holds a phone number, an e-mail address
or a resident registration number is refused with its line, before anything is generated.

Not covered: names of persons and places, which no pattern finds reliably.
"""

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from kmi.codes import CATEGORIES
from kmi.dialogue import ClientProfile, is_whole, json_lines
from kmi.errors import DataError, allowed

SAMPLE_POSTS = Path(__file__).with_name("sample_posts.jsonl")

BY_OTHER_NAME = {name: code.name for code in CATEGORIES.values() for name in (code.en, code.slug)}
# Each pattern with the word a message uses for it.
PERSONAL_DATA = {
    "a resident registration number": re.compile(
        r"(?<!\d)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\s?[-–]\s?[1-8](?:\d{6}(?!\d)|\*{6})|[1-8]\d{6}(?!\d))"
    ),
    "a phone number": re.compile(
        r"(?<!\d)(?:\+?82[-–\s.]{0,3}0?|0)(?:2|3[1-3]|4[1-4]|5[0-5]|6[1-4]|1[016-9]|[78]0)[-–\s._/)]{0,3}\d{3,4}[-–\s._/]{0,3}\d{4}(?!\d)"
    ),
    # Only from the beginning of a word on: else a post without spaces costs the square of its length.
    "an e-mail address": re.compile(r"(?<![\w.+-])[\w.+-]+\s?@\s?[\w-]+(?:\.[\w-]+)+"),
}


@dataclass(frozen=True, slots=True)
class Post:
    """A client's post: `id` follows its place and content, `category` and `profile` may be empty."""

    id: str
    context: str
    category: str = ""
    profile: ClientProfile = field(default_factory=ClientProfile)


def read_posts(path: str | Path) -> list[Post]:
    """Reads posts; raises `DataError` naming file, line and what is wrong.

    All posts with personal data are listed in one message, so that a file is mended once.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(
            f"Expected a file of client posts at {path}, found none.",
            f"Try the shipped ones: --contexts {SAMPLE_POSTS.relative_to(SAMPLE_POSTS.parents[2])}",
        )
    records = _records(path)
    posts = [_post(record, number, path) for number, record in records]
    if not posts:
        raise DataError(f"{path} holds no post.", 'Write one post a line, or JSONL such as {"context": "..."}.')
    found = [f"line {number}: {kind}" for number, record in records for kind in personal_data(_text(record))]
    if found:
        raise DataError(
            f"{path} holds personal data in {len(found)} place(s): {'; '.join(found[:10])}.",
            "Remove it and run again; KMI keeps no contact details.",
        )
    return posts


def personal_data(text: str) -> list[str]:
    """Names the kinds of personal data found in a text; empty where there are none."""
    plain = unicodedata.normalize("NFKC", text)  # full-width digits
    return [kind for kind, pattern in PERSONAL_DATA.items() if pattern.search(plain)]


def _records(path: Path) -> list[tuple[int, Any]]:
    suffix = path.suffix.lower()
    if suffix in {".jsonl", ".ndjson"}:
        return list(json_lines(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error.reason}).", "Save it as UTF-8.") from None
    if suffix == ".json":
        try:
            return list(enumerate(_as_list(json.loads(text)), start=1))
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}: not valid JSON ({error}).") from None
    # Not str.splitlines: text copied from the web holds form feeds and U+2028 inside a post.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]


def _as_list(data: Any) -> list:
    return data if isinstance(data, list) else [data]


def _text(record: Any) -> str:
    """All that a post and its profile say."""
    if isinstance(record, str):
        return record
    return " / ".join([record["context"], *map(str, (record.get("profile") or {}).values())])


def _post(record: Any, number: int, path: Path) -> Post:
    where = f"{path}, line {number}"
    if isinstance(record, str):
        record = {"context": record}
    if not isinstance(record, dict) or not isinstance(record.get("context"), str) or not record["context"].strip():
        raise DataError(f'{where}: expected {{"context": "<post>"}} or a line of text, got {str(record)!r:.80}.')
    category = record.get("category") or ""
    if not isinstance(category, str):
        raise DataError(f"{where}: field 'category' is {category!r:.60}; allowed are {allowed(CATEGORIES)}.")
    category = BY_OTHER_NAME.get(category, category)
    if category and category not in CATEGORIES:
        raise DataError(f"{where}: field 'category' is {category!r}; allowed are {allowed(CATEGORIES)}.")
    profile = _profile(record.get("profile") or {}, where)
    if not is_whole(_text(record)):
        raise DataError(f"{where}: the post holds half a character (a lone surrogate).", "Save the text again as UTF-8.")
    context = record["context"].strip()
    digest = hashlib.sha256(context.encode()).hexdigest()[:8]
    return Post(f"post-{number:06d}-{digest}", context, category, profile)


def _profile(values: Any, where: str) -> ClientProfile:
    known = {item.name for item in fields(ClientProfile)}
    if not isinstance(values, dict) or set(values) - known:
        raise DataError(f"{where}: field 'profile' should hold only {allowed(sorted(known))}, got {values!r:.80}.")
    return ClientProfile(**{name: str(value) for name, value in values.items() if value is not None})
