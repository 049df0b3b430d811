"""Ways to damage a valid file, for the fuzz tests: strategies that know lines, JSON and YAML, beside plain noise.

`damaged(files)` gives bytes: one of the valid files, changed once to three times as disks, editors, spreadsheets, other tools and ill will do
it; or no file at all. `damaged_json(records)` first puts a hostile value somewhere into the records.
"""

import copy
import json

from hypothesis import strategies as st

DEEP = 5_000  # beyond what the parsers of JSON and YAML go down
HUGE = "9" * 5000  # Python parses no number of so many digits
# Half a character, as WTF-8 bytes: no UTF-8.
HALF = b"\xed\xa0\x80"
SNIPPETS = [
    b"\0", b"\xff", HALF, b"\xef\xbb\xbf", b"\r", b"\r\n", b"\n", b"\n\n", b"\t", "\u2028".encode(), b"\x85", b"\x1f",
    b'"', b"'", b"{", b"}", b"[", b"]", b"|", b":", b",", b"\\", b"#{", b"==", b"//", b"> ", b"- ", b"&a *a", b"=1+1", b"`", b"$x {y} %s",
    b"NaN", b"-Infinity", b"1e999", HUGE.encode(), b"null", b"true", b"[]", b"{}", b'"\\ud800"', b'"\\u0000"',
    b"[" * DEEP, b'{"a":' * DEEP, b"x" * 200_000, b'{"id": "a"}\n', b"T OQ | \n", b"CTX\n", "상담자:".encode(), b"C: yes\n", b"T " + HALF,
    b"!!python/object/apply:os.system [exit]", b"!!timestamp ''", b"!!int x", b"2024-99-99", b"? [a]\n: b\n", b"<<: 1\n", b"---\n", b"\x1b[2J",
]  # fmt: skip
HOSTILE = [
    None, True, False, 0, -1, 2**63, 10**400, 1.5, float("nan"), float("inf"), "", " ", "\0", "\ud800", "\ufeff", "a\r\nb", "\u2028", "|", "../../x",
    "x" * 10_000, [], [[]], [None], {}, {"a": []}, [{}], "therapist", "client", "General", "change", "가",
]  # fmt: skip


def _nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


HOSTILE.append(_nested(100))


def _cut(data, place, _):
    return data[: place % (len(data) + 1)]


def _beheaded(data, place, _):
    return data[place % (len(data) + 1) :]


def _flipped(data, place, other):
    place %= len(data) or 1
    return data[:place] + bytes([other % 256]) + data[place + 1 :]


def _filled(data, place, other):
    place %= len(data) + 1
    return data[:place] + SNIPPETS[other % len(SNIPPETS)] + data[place:]


def _replaced(data, place, other):
    """A snippet in the place of a word."""
    words = data.split(b" ")
    words[place % len(words)] = SNIPPETS[other % len(SNIPPETS)]
    return b" ".join(words)


def _twice(data, place, _):
    lines = data.splitlines(keepends=True)
    return data if not lines else b"".join([*lines[: place % len(lines)], lines[place % len(lines)], *lines[place % len(lines) :]])


def _lost(data, place, _):
    lines = data.splitlines(keepends=True)
    return data if not lines else b"".join(lines[: place % len(lines)] + lines[place % len(lines) + 1 :])


def _swapped(data, place, other):
    lines = data.splitlines(keepends=True)
    if lines:
        one, two = place % len(lines), other % len(lines)
        lines[one], lines[two] = lines[two], lines[one]
    return b"".join(lines)


def _recoded(data, _, other):
    encoding = ("utf-16", "utf-16-le", "utf-32", "cp949", "utf-8-sig")[other % 5]
    return data.decode(errors="ignore").encode(encoding, "replace")


def _crlf(data, _, other):
    return data.replace(b"\n", b"\r\n" if other % 2 else b"\r")


def _doubled(data, _, __):
    return data + data


WAYS = [_cut, _beheaded, _flipped, _filled, _replaced, _twice, _lost, _swapped, _recoded, _crlf, _doubled]
CHANGES = st.lists(st.tuples(st.sampled_from(WAYS), st.integers(0, 2**20), st.integers(0, 2**10)), min_size=1, max_size=3)
AT_TIMES = st.just([]) | CHANGES
NOISE = st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))


def changed(data, changes):
    """The bytes after each (way, place, other) in turn."""
    for way, place, other in changes:
        data = way(data, place, other)
    return data


def damaged(files):
    """Bytes of one of `files` after one to three changes, or noise."""
    return st.one_of(st.builds(changed, st.sampled_from(files), CHANGES), st.builds(changed, st.sampled_from(files), CHANGES), NOISE)


def places(value, path=()):
    """The path of every value in a JSON value, itself among them."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def with_value(record, path, value):
    """A copy of a JSON value with another value at a path."""
    if not path:
        return value
    record = copy.deepcopy(record)
    inner = record
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return record


def damaged_json(records, dumps, more=AT_TIMES):
    """Bytes that `dumps` makes of `records` after one or two of their values became hostile, and `more` changes."""
    paths = [path for path in places(records) if path]

    def build(first, second, changes):
        damaged_records = with_value(records, *first)
        # The second place may be gone with the first.
        if second is not None and second[0][: len(first[0])] != first[0]:
            damaged_records = with_value(damaged_records, *second)
        return changed(dumps(damaged_records), changes)

    hostile = st.tuples(st.sampled_from(paths), st.sampled_from(HOSTILE))
    return st.builds(build, hostile, st.none() | hostile, more)


def as_json(records):
    """JSON as another tool writes it: ASCII escapes, so that half characters get into the file."""
    return json.dumps(records).encode()


def as_lines(records):
    """The same, a record a line."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)
