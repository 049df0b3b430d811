import asyncio
import logging

import pytest

from kmi.errors import ConfigError, WriterError, WriterUnavailable
from kmi.writers import openai_server
from kmi.writers.base import Cue, WriteRequest
from kmi.writers.dummy_server import DummyServer
from kmi.writers.faults import Fault, always, script, seeded
from kmi.writers.openai_server import OpenAIServerWriter

KEY = "sk-planted-0123456789"
NOBODY = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("KMI_API_KEY", "OPENAI_API_KEY", "KMI_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def quick(monkeypatch):
    """The client's own pauses, shortened; what Retry-After says stays."""
    import openai._base_client as client

    monkeypatch.setattr(client, "INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr(client, "MAX_RETRY_DELAY", 0.02)


def request(number=0, seed=5):
    messages = ({"role": "system", "content": "상담자"}, {"role": "user", "content": f"안녕하세요 {number}"})
    return WriteRequest(f"s{number}/0/0", messages, 50, 0.7, seed, Cue("client"))


def run(writer, *requests):
    """Completions of all requests, asked at once, as a runner does it."""

    async def session():
        try:
            await writer.prepare()
            return await asyncio.gather(*(writer.write(item) for item in requests))
        finally:
            await writer.close()

    return asyncio.run(session())


def test_asks_what_the_request_says_and_reads_the_answer():
    with DummyServer(lambda payload: " <think>음</think>네, 그렇군요. ") as server:
        writer = OpenAIServerWriter(server.url)
        assert writer.describe() == {"writer": "openai", "model": None, "base_url": server.url}
        (completion,) = run(writer, request())
        assert writer.describe()["model"] == "dummy"
    assert (completion.text, completion.model) == ("네, 그렇군요.", "dummy")
    assert (completion.prompt_tokens, completion.output_tokens) == (5, 13)  # 10 and 27 characters by two
    (entry,) = server.chats()
    assert entry.payload == {
        "model": "dummy",
        "messages": list(request().messages),
        "max_tokens": 50,
        "temperature": 0.7,
        "seed": 5,
    }


def test_a_model_of_opened_turns_is_given_the_turn_to_continue():
    cue = Cue("therapist", label="Affirm", context="담배", history=("오늘은요?", "끊고 <|end|> 싶어요."))
    with DummyServer(lambda payload: "용기 내셨네요.") as server:
        writer = OpenAIServerWriter(server.url, opened=True)
        assert writer.describe()["opened"] is True
        (completion,) = run(writer, WriteRequest("s/2/0", (), 50, 0.7, 5, cue))
        (entry,) = server.chats()
    assert completion.text == "용기 내셨네요."
    assert entry.payload["continue_final_message"] is True and entry.payload["add_generation_prompt"] is False
    system, *said, opened = entry.payload["messages"]
    assert system["role"] == "system" and system["content"].endswith("담배")
    assert [message["role"] for message in said] == ["assistant", "user"] and "<|" not in said[1]["content"]
    assert opened == {"role": "assistant", "content": "<|affirm|>"}
    with DummyServer(lambda payload: "x") as server, pytest.raises(ConfigError, match="--mode turn"):
        run(OpenAIServerWriter(server.url, opened=True), WriteRequest("s/0/0", (), 50, 0.7, 5, Cue("session")))


def test_concurrency_is_real_and_bounded():
    with DummyServer(latency_sec=0.15) as server:
        completions = run(OpenAIServerWriter(server.url, concurrency=8), *(request(n) for n in range(24)))
        assert server.peak() == 8
    assert len(completions) == len(server.chats()) == 24


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", 408),
        Fault("status", 409),
        Fault("status", 500),
        Fault("status", 503),
        Fault("rate_limit", 0),
        Fault("rate_limit", 0.05),
        Fault("drop"),
        Fault("hang", 30),
        Fault("truncate"),
        Fault("not_json"),
        Fault("empty"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.value}",
)
def test_passing_faults_are_asked_again(fault, quick):
    with DummyServer(faults=script(fault, fault)) as server:
        (completion,) = run(OpenAIServerWriter(server.url, timeout_sec=0.3), request())
        assert len(server.chats()) == 3
    assert completion.text.startswith("네,")


def test_every_request_is_answered_at_a_third_of_faults(quick):
    with DummyServer(lambda payload: payload["messages"][1]["content"], faults=seeded(0.3, seed=4)) as server:
        completions = run(OpenAIServerWriter(server.url, concurrency=8), *(request(n) for n in range(60)))
        assert sum(entry.fault is not None for entry in server.chats()) > 10
    assert [completion.text for completion in completions] == [f"안녕하세요 {n}" for n in range(60)]


def test_retry_after_is_obeyed(quick):
    with DummyServer(faults=script(Fault("rate_limit", 1))) as server:
        run(OpenAIServerWriter(server.url), request())
        first, second = server.chats()
    assert second.start - first.end >= 0.95


@pytest.mark.parametrize("fault", [Fault("rate_limit", 300), Fault("rate_limit", 0)])
def test_long_rate_limits_are_waited_out(fault, quick, monkeypatch, caplog):
    """The client gives up at once on more than two minutes, and on shorter ones after its retries."""
    slept = []
    sleep = asyncio.sleep

    async def noted(seconds, *rest):
        if seconds > 10:
            slept.append(seconds)
        await sleep(0 if seconds > 10 else seconds, *rest)

    monkeypatch.setattr(openai_server.asyncio, "sleep", noted)
    faults = [fault] * (2 if fault.value else 4)
    with DummyServer(faults=script(*faults)) as server:
        run(OpenAIServerWriter(server.url, max_retries=1), request())
    assert slept == [fault.value or openai_server.RATE_LIMIT_PAUSE_SEC] * 2
    assert "limits the rate" in caplog.text


def test_endless_rate_limit_stops_the_run(monkeypatch):
    monkeypatch.setattr(openai_server, "RATE_LIMIT_PATIENCE_SEC", 100)
    limit = always(Fault("rate_limit", 3600))
    with DummyServer(faults=limit) as server, pytest.raises(WriterUnavailable, match=r"wait 3600 s.*Run again later"):
        run(OpenAIServerWriter(server.url), request())


def test_an_empty_account_stops_the_run(quick):
    with DummyServer(faults=always(Fault("quota"))) as server, pytest.raises(WriterUnavailable, match="has no quota left"):
        run(OpenAIServerWriter(server.url, max_retries=1), request())


def test_unusable_answers_are_asked_for_with_other_seeds_then_given_up():
    with DummyServer(faults=always(Fault("empty"))) as server:
        with pytest.raises(WriterError, match="s0/0/0: no usable answer in 5 attempts; the last one had no text") as caught:
            run(OpenAIServerWriter(server.url), request(seed=5))
        assert [entry.payload["seed"] for entry in server.chats()] == [5, 6, 7, 8, 9]
    assert not isinstance(caught.value, WriterUnavailable)


def test_a_request_the_server_refuses_fails_alone():
    def plan(payload, attempt):
        return Fault("status", 400) if "1" in payload["messages"][1]["content"] else None

    async def session(writer):
        await writer.prepare()
        return await asyncio.gather(*(writer.write(request(n)) for n in range(3)), return_exceptions=True)

    with DummyServer(faults=plan) as server:
        first, second, third = asyncio.run(session(OpenAIServerWriter(server.url)))
        assert len(server.chats()) == 3  # nothing is gained by asking a refused one again
    assert first.text and third.text
    assert type(second) is WriterError
    assert "s1/0/0: refused by the server" in str(second)
    assert "a planned fault" in str(second)


def test_a_request_that_breaks_a_working_server_fails_alone(quick):
    def plan(payload, attempt):
        return Fault("status", 500) if payload["max_tokens"] == 50 else None

    with DummyServer(faults=plan) as server, pytest.raises(WriterError, match=r"s0/0/0: failed after 2.*500") as caught:
        run(OpenAIServerWriter(server.url, max_retries=2), request())
    assert not isinstance(caught.value, WriterUnavailable)


def test_a_server_of_errors_stops_the_run(quick):
    broken = always(Fault("status", 500))
    with DummyServer(faults=broken) as server, pytest.raises(WriterUnavailable, match=r"gives nothing but errors .*log"):
        run(OpenAIServerWriter(server.url, max_retries=2), request())


def test_a_server_that_dies_stops_the_run(quick):
    async def session(server):
        writer = OpenAIServerWriter(server.url, max_retries=1)
        with server:
            await writer.prepare()
            await writer.write(request())
        await writer.write(request(1))

    with pytest.raises(WriterUnavailable, match="No model server answers at"):
        asyncio.run(session(DummyServer()))


def test_unreachable_server_says_what_to_start(quick):
    with pytest.raises(WriterUnavailable, match=r"No model server answers at http://127.0.0.1:9/v1 .*vllm serve MODEL --port 9"):
        run(OpenAIServerWriter(NOBODY))


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "wants a key .*export KMI_API_KEY="),
        ({"OPENAI_API_KEY": KEY}, "refuses the key in OPENAI_API_KEY .*export OPENAI_API_KEY="),
        ({"KMI_API_KEY": KEY, "OPENAI_API_KEY": "right"}, "refuses the key in KMI_API_KEY"),
    ],
)
def test_wrong_key_names_the_variable(environment, message, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with DummyServer(key="right") as server, pytest.raises(WriterUnavailable, match=message):
        run(OpenAIServerWriter(server.url, "dummy"))


def test_key_withdrawn_in_the_middle_stops_the_run(monkeypatch):
    monkeypatch.setenv("KMI_API_KEY", KEY)
    with DummyServer(faults=always(Fault("status", 401))) as server:
        with pytest.raises(WriterUnavailable, match="refuses the key in KMI_API_KEY"):
            run(OpenAIServerWriter(server.url), request())
        assert len(server.chats()) == 1


def test_model_is_chosen_or_asked_for():
    with DummyServer(models=("small", "large")) as server:
        with pytest.raises(WriterUnavailable, match=r"it has small, large\. Choose one with --model"):
            run(OpenAIServerWriter(server.url))
        with pytest.raises(WriterUnavailable, match=r"knows no model 'huge'.*It lists small, large\. Check --model"):
            run(OpenAIServerWriter(server.url, "huge"))
        assert run(OpenAIServerWriter(server.url, "large"), request())[0].model == "large"


def test_a_model_that_is_served_but_not_listed_is_accepted():
    with DummyServer(models=("listed", "alias"), listed=("listed",)) as server:
        run(OpenAIServerWriter(server.url, "alias"), request())
        trial, real = server.chats()
    assert trial.payload["max_tokens"] == 1
    assert real.payload["model"] == "alias"


def test_a_server_that_lists_nothing_needs_the_model_named():
    with DummyServer(listed=()) as server:
        with pytest.raises(WriterUnavailable, match=r"it lists none\. Choose one with --model"):
            run(OpenAIServerWriter(server.url))
        assert run(OpenAIServerWriter(server.url, "dummy"), request())[0].text


def test_url_without_the_api_path_is_explained():
    with DummyServer() as server, pytest.raises(WriterUnavailable, match=r"no such path .*Not Found.*usually /v1"):
        run(OpenAIServerWriter(server.url.removesuffix("/v1"), "dummy"))


def test_base_url_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:2/v1/")
    assert OpenAIServerWriter().url == "http://127.0.0.1:2/v1"
    monkeypatch.setenv("KMI_BASE_URL", NOBODY)
    assert OpenAIServerWriter().url == NOBODY
    assert OpenAIServerWriter("http://127.0.0.1:3").url == "http://127.0.0.1:3"


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000/v1", "ftp://u:pw-secret@h/v1", "http://u:pw-secret@h:x/v1", f"http://h/v1?key={KEY}"])
def test_bad_urls_are_refused_without_being_quoted(url):
    with pytest.raises(ConfigError, match=r"--base-url http://127.0.0.1:8000/v1") as caught:
        OpenAIServerWriter(url)
    assert "pw-secret" not in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"timeout_sec": 0}, {"max_retries": -1}])
def test_bad_options_are_refused(options):
    with pytest.raises(ConfigError, match="Expected"):
        OpenAIServerWriter(NOBODY, **options)


def test_key_with_a_stray_letter_is_refused_unseen(monkeypatch):
    monkeypatch.setenv("KMI_API_KEY", f"{KEY}\n")
    OpenAIServerWriter(NOBODY)  # the newline of a copied file does no harm
    monkeypatch.setenv("KMI_API_KEY", f"{KEY}비밀")
    with pytest.raises(ConfigError, match="KMI_API_KEY holds characters") as caught:
        OpenAIServerWriter(NOBODY)
    assert KEY not in str(caught.value)


def test_half_a_character_fails_the_request_not_the_run():
    bad = WriteRequest("s0/0/0", ({"role": "user", "content": "\ud83d"},), 5, 0.0, 1, Cue("client"))
    with DummyServer() as server, pytest.raises(WriterError, match="lone surrogate") as caught:
        run(OpenAIServerWriter(server.url), bad)
    assert not isinstance(caught.value, WriterUnavailable)


def test_key_and_password_go_to_the_server_only(monkeypatch, caplog, quick):
    """Every kind of trouble at once; then everything a user could see is searched."""
    monkeypatch.setenv("KMI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    seen = []
    troubles = [
        always(Fault("status", 401)),
        always(Fault("status", 400)),
        always(Fault("status", 500)),
        always(Fault("truncate")),
        always(Fault("empty")),
        always(Fault("drop")),
        always(Fault("rate_limit", 3600)),
        script(),
    ]
    for plan in troubles:
        # Its errors repeat the key.
        with DummyServer(faults=plan) as server:
            writer = OpenAIServerWriter(server.url, max_retries=1)
            seen += [repr(writer), writer.describe()]
            try:
                run(writer, request())
            except WriterError as error:
                seen += [error, error.__cause__, error.problem, error.next_step]
            assert all(entry.headers["authorization"] == f"Bearer {KEY}" for entry in server.served)
            assert not any(KEY in str(entry.payload) for entry in server.served)
    with DummyServer(key="right") as server, pytest.raises(WriterUnavailable) as caught:
        run(OpenAIServerWriter(server.url, "dummy"), request())
    seen += [caught.value, caplog.text]
    assert len(caplog.records) > 20
    assert len(seen) > 2 * len(troubles)
    assert not any(KEY in str(item) for item in seen)


def test_a_servers_words_are_shown_without_the_key(monkeypatch):
    monkeypatch.setenv("KMI_API_KEY", KEY)
    writer = OpenAIServerWriter(NOBODY)
    assert writer._shown(f"bad\n request of {KEY} " + "x" * 400) == "bad request of *** " + "x" * 281 + "..."


def test_redirects_elsewhere_do_not_take_the_key_along(monkeypatch):
    monkeypatch.setenv("KMI_API_KEY", KEY)
    with DummyServer() as elsewhere:
        target = elsewhere.url.replace("127.0.0.1", "localhost") + "/chat/completions"
        with DummyServer(faults=always(Fault("redirect", target))) as server:
            run(OpenAIServerWriter(server.url), request())
        (entry,) = elsewhere.chats()
    assert KEY not in str(entry.headers)


def test_password_in_the_url_is_sent_but_not_shown(caplog):
    caplog.set_level(logging.DEBUG)
    with DummyServer() as server:
        writer = OpenAIServerWriter(server.url.replace("//", "//kim:pw%40secret@"))
        run(writer, request())
    assert writer.describe()["base_url"] == server.url
    assert all(entry.headers["authorization"] == "Basic a2ltOnB3QHNlY3JldA==" for entry in server.served)
    assert "secret" not in caplog.text + repr(vars(writer))


def test_proxies_are_not_used_for_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", NOBODY)
    monkeypatch.setenv("http_proxy", NOBODY)
    with DummyServer() as server:
        assert run(OpenAIServerWriter(server.url), request())[0].text
