import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kmi.clients.contexts import SAMPLE_POSTS, personal_data, read_posts
from kmi.codes import CATEGORIES
from kmi.dialogue import ClientProfile
from kmi.errors import DataError

POSTS = ["가게를 닫고 나면 술을 마십니다.", "형과 말을 안 한 지 오 년 됐어요 ㅠㅠ 😭", '"따옴표"와 {괄호}와 $돈']


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def problem(path):
    with pytest.raises(DataError) as caught:
        read_posts(path)
    return str(caught.value)


@pytest.fixture
def three_forms(tmp_path):
    """The same three posts as JSONL, as a JSON list and as plain text."""
    records = [{"context": post} for post in POSTS]
    return [
        write(tmp_path / "p.jsonl", "\n".join(json.dumps(record) for record in records) + "\n"),
        write(tmp_path / "p.json", json.dumps(records, ensure_ascii=False, indent=1)),
        write(tmp_path / "p.txt", "\n".join(POSTS)),
    ]


def test_three_forms_give_the_same_posts(three_forms):
    jsonl, as_list, text = (read_posts(path) for path in three_forms)
    assert [post.context for post in jsonl] == POSTS
    assert jsonl == as_list == text


def test_ids_hold_place_and_content(tmp_path):
    first = read_posts(write(tmp_path / "a.txt", "하나입니다.\n둘입니다.\n"))
    assert [post.id.rpartition("-")[0] for post in first] == ["post-000001", "post-000002"]
    swapped = read_posts(write(tmp_path / "b.txt", "둘입니다.\n하나입니다.\n"))
    assert first[0].id.rpartition("-")[2] == swapped[1].id.rpartition("-")[2]
    assert {post.id for post in first}.isdisjoint(post.id for post in swapped)


def test_equal_posts_have_different_ids(tmp_path):
    posts = read_posts(write(tmp_path / "a.txt", "같은 글입니다.\n같은 글입니다.\n"))
    assert len({post.id for post in posts}) == 2


def test_numbers_are_line_numbers_of_the_file(tmp_path):
    posts = read_posts(write(tmp_path / "a.txt", "\ufeff\n\n셋째 줄입니다.\r\n\n다섯째 줄입니다.\n"))
    assert [post.id[:11] for post in posts] == ["post-000003", "post-000005"]
    assert posts[0].context == "셋째 줄입니다."


@pytest.mark.parametrize("name", ["가족", "Family", "family"])
def test_categories_are_understood_in_korean_english_and_as_slug(tmp_path, name):
    assert read_posts(write(tmp_path / "a.jsonl", json.dumps({"context": "글", "category": name})))[0].category == "가족"


def test_profile_fields_are_kept_as_text(tmp_path):
    record = {"context": "글", "profile": {"age_band": "30대 초반", "occupation": 7}}
    assert read_posts(write(tmp_path / "a.jsonl", json.dumps(record)))[0].profile == ClientProfile(age_band="30대 초반", occupation="7")


def test_a_profile_value_of_null_is_an_empty_one(tmp_path):
    post = read_posts(write(tmp_path / "a.jsonl", '{"context": "글", "profile": {"gender": null}}'))[0]
    assert post.profile.gender == ""


def test_one_json_object_is_a_list_of_one(tmp_path):
    assert [post.context for post in read_posts(write(tmp_path / "a.json", '{"context": "글 하나"}'))] == ["글 하나"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.jsonl", '{"context": "글"}\n{"context": }\n', ["line 2", "not valid JSON"]),
        ("a.jsonl", '{"context": "글"}\n{"text": "글"}\n', ["line 2", "context"]),
        ("a.jsonl", '{"context": "  "}\n', ["line 1", "context"]),
        ("a.jsonl", '{"context": 5}\n', ["line 1", "context"]),
        ("a.jsonl", "[1]\n", ["line 1", "context"]),
        ("a.jsonl", '{"context": "글", "category": "직장"}', ["line 1", "'category'", "'직장'", "정신건강"]),
        ("a.jsonl", '{"context": "글", "category": 3}', ["line 1", "'category'", "3"]),
        ("a.jsonl", '{"context": "글", "profile": {"age": 3}}', ["line 1", "'profile'", "age_band", "{'age': 3}"]),
        ("a.jsonl", '{"context": "글", "profile": "여성"}', ["line 1", "'profile'", "여성"]),
        ("a.json", '[{"context": "글"},\n {"context" 3}]', ["line 2", "not valid JSON"]),
        ("a.json", "[]", ["no post"]),
        ("a.txt", "\n  \n", ["no post"]),
        ("a.jsonl", "", ["no post"]),
    ],
)
def test_messages_name_file_line_and_what_is_wrong(tmp_path, name, text, words):
    message = problem(write(tmp_path / name, text))
    assert [word for word in (name, *words) if word not in message] == [], message


@pytest.mark.parametrize("name", ["a.jsonl", "a.txt", "a.json"])
def test_other_encodings_are_refused(tmp_path, name):
    (tmp_path / name).write_bytes("한글 글입니다".encode("cp949"))
    assert "not UTF-8" in problem(tmp_path / name)


def test_a_missing_file_points_to_the_shipped_posts(tmp_path, repository):
    message = problem(tmp_path / "none.jsonl")
    named = re.search(r"--contexts (\S+)", message)[1]
    assert (repository / named).samefile(SAMPLE_POSTS)
    assert "found none" in problem(tmp_path)


def test_a_category_that_is_a_list_is_refused(tmp_path):
    assert "'category'" in problem(write(tmp_path / "a.jsonl", '{"context": "글", "category": ["가족"]}'))


def test_half_a_character_is_refused_with_its_line(tmp_path):
    assert "line 1" in problem(write(tmp_path / "a.jsonl", '{"context": "깨진 글 \\ud83d"}'))


def test_the_form_does_not_hang_on_the_case_of_the_ending(tmp_path):
    assert [post.context for post in read_posts(write(tmp_path / "A.JSONL", '{"context": "글"}\n'))] == ["글"]


def test_json_nested_too_deeply_is_a_data_error(tmp_path):
    assert "a.json" in problem(write(tmp_path / "a.json", "[" * 200_000))


def test_only_line_breaks_part_the_posts_of_a_plain_text(tmp_path):
    """Copied web text holds U+2028 and form feeds inside a post."""
    assert len(read_posts(write(tmp_path / "a.txt", "앞부분\u2028뒷부분\x0c끝\n둘째 글\n"))) == 2


# Each kind of personal data in the forms that people really type.
PERSONAL = {
    "a phone number": [
        "010-1234-5678로 연락 주세요", "번호는 01012345678입니다", "010 1234 5678", "010.1234.5678", "(010)1234-5678", "02-123-4567",
        "031 1234 5678", "+82 10-1234-5678", "+821012345678", "82-10-1234-5678 카톡", "010)1234-5678", "연락처:011-234-5678.",
    ],
    "an e-mail address": ["메일은 hong.gd+a@naver.com", "hong@mail.go.kr로", "hong @ naver.com", "HONG_1@Example.CO.KR"],
    "a resident registration number": ["900101-1234567", "900101 - 1234567", "주민번호 010203–4123456요", "990101-7654321"],
}  # fmt: skip
HIDDEN = [
    ("010 - 1234 - 5678", "a phone number"),
    ("010–1234–5678", "a phone number"),
    ("０１０-１２３４-５６７８", "a phone number"),
    ("9001011234567", "a resident registration number"),
    ("900101-1******", "a resident registration number"),
    ("010_1234_5678", "a phone number"),
    ("010/1234/5678", "a phone number"),
]
INNOCENT = [
    "연금 150만원, 보증금 1억 4,000만 원", "2024년 3월 15일 14:30에 갔어요", "2024-03-15 1030", "시험은 2025.04.05 10시", "몸무게 060 아니고 60",
    "토익 010점도 아니고", "109에 전화했어요", "1577-0199", "1366에 물어봤어요", "@언니 이거 봐", "이메일은 안 보내요", "3.5@ 학점", "900101-12",
    "빚이 123456-78만 원", "층수 0123", "버스 0100-2번", "2020-0315-123", "월세 35/500", "010 대신 02 쓰던 시절", "전화 010-1234까지만 외워요",
    "기간은 05. 2023 - 2024예요", "아침 06 0730 1130에 먹어요",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in PERSONAL.items() for text in texts])
def test_personal_data_is_found_in_every_usual_form(kind, text):
    assert personal_data(f"앞글 {text} 뒷글") == [kind]


@pytest.mark.parametrize(("text", "kind"), HIDDEN)
def test_personal_data_is_found_in_unusual_forms(text, kind):
    assert kind in personal_data(f"앞글 {text} 뒷글")


@pytest.mark.parametrize("text", INNOCENT)
def test_numbers_of_ordinary_life_are_no_personal_data(text):
    assert personal_data(text) == []


def test_fifty_real_looking_posts_and_the_samples_hold_none(data_folder):
    posts = read_posts(data_folder / "posts_50.jsonl") + read_posts(SAMPLE_POSTS)
    assert len(posts) == 56


def test_all_lines_with_personal_data_come_in_one_message(tmp_path):
    lines = ["괜찮은 글", "번호 010-1234-5678", "괜찮은 글", "a@b.kr 그리고 900101-1234567"]
    for name, text in {"a.txt": "\n".join(lines), "a.jsonl": "\n".join(json.dumps({"context": line}) for line in lines)}.items():
        message = problem(write(tmp_path / name, text))
        assert "3 place(s)" in message
        for part in ["line 2: a phone number", "line 4: an e-mail address", "line 4: a resident registration number"]:
            assert part in message
        assert "1234" not in message and "a@b.kr" not in message  # the data itself is not shown again


def test_personal_data_in_a_profile_is_refused_too(tmp_path):
    record = {"context": "괜찮은 글", "profile": {"presenting_problem": "연락처 010-1234-5678"}}
    assert "line 1: a phone number" in problem(write(tmp_path / "a.jsonl", json.dumps(record)))


def test_sample_posts_cover_six_categories_and_keep_them():
    assert sorted({post.category for post in read_posts(SAMPLE_POSTS)}) == sorted(set(CATEGORIES) - {"자아·성격"})


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=80))
@example("\x1c\x85 \u2028")
@settings(max_examples=200, deadline=None)
def test_any_plain_text_gives_posts_or_a_data_error(tmp_path_factory, text):
    path = write(tmp_path_factory.getbasetemp() / "any.txt", text)
    try:
        posts = read_posts(path)
    except DataError:
        return
    assert all(post.context and post.context == post.context.strip() for post in posts)
    assert len({post.id for post in posts}) == len(posts)


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
RECORDS = st.fixed_dictionaries({}, optional={"context": SCALARS, "category": SCALARS, "profile": st.dictionaries(st.sampled_from(["gender", "x"]), SCALARS) | SCALARS})


@given(SCALARS | st.lists(RECORDS | SCALARS, max_size=3))
@settings(max_examples=300, deadline=None)
def test_any_json_gives_posts_or_a_data_error(tmp_path_factory, value):
    try:
        posts = read_posts(write(tmp_path_factory.getbasetemp() / "any.json", json.dumps(value)))
    except DataError:
        return
    assert posts


def test_half_a_character_in_a_profile_is_refused(tmp_path):
    (tmp_path / "p.jsonl").write_text('{"context": "글", "profile": {"occupation": "\\ud83d"}}\n')
    with pytest.raises(DataError, match="line 1: the post holds half a character"):
        read_posts(tmp_path / "p.jsonl")


@pytest.mark.timeout(20)
def test_a_long_post_without_spaces_takes_no_time():
    """The search for e-mail addresses once took the square of its length: minutes for this one."""
    assert personal_data("a" * 200_000) == []
    assert personal_data("a" * 1000 + "@example.com") == ["an e-mail address"]
