"""Writes through any OpenAI-compatible model server: vLLM, Ollama, a paid endpoint.

The `openai` client repeats what is worth repeating at once: broken connections,
timeouts, 408, 409, 429 and 5xx, with growing pauses or as long as Retry-After says (up
to two minutes; it does not wait for a server that asks for more). This module adds what
a run of days needs: it waits out longer rate limits, asks again for unusable answers,
tells a request that cannot be answered from a server that cannot, and keeps the key out
of everything that is shown or stored.

Not covered: streaming, several choices per request, Azure-style URLs with parameters,
models that refuse `max_tokens` or a free temperature (their message is passed on).
"""

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kmi.errors import ConfigError, WriterError, WriterUnavailable, allowed
from kmi.writers.base import Completion, WriteRequest, answer_text
from kmi.writers.endpoint import KEY_VARIABLES, URL_VARIABLES, connect, hider, split_url, variable_in_use

if TYPE_CHECKING:
    import openai

log = logging.getLogger(__name__)

# The check before a run: about 4 s until a server that is not there is called so.
PROBE_RETRIES = 3
PROBE_TIMEOUT_SEC = 20.0
# Truncated or empty answers come back at once, so a few more attempts cost little.
UNUSABLE_RETRIES = 4
# A rate limit is waited out for this long in all, and this long at a time if the server names no time.
RATE_LIMIT_PATIENCE_SEC = 1800.0
RATE_LIMIT_PAUSE_SEC = 20.0
SHOWN_CHARACTERS = 300
# In an answer a shorter key stays: a placeholder such as "x" or "EMPTY" is no secret and may be a word.
SHORTEST_SECRET = 8


class _Unusable(Exception):
    """The server answered, but not with text; asking again may help."""


class OpenAIServerWriter:
    """Asks a server's `/chat/completions`, many requests at a time, within one event loop.

    Args:
        base_url: where the API starts, usually ending in /v1; default from KMI_BASE_URL
            or OPENAI_BASE_URL. User and password in it are sent, never shown.
        model: as the server calls it; None takes the server's only one (known after `prepare`).
        concurrency: requests in flight at once.
        timeout_sec: longest silence of the server before an attempt counts as failed.
        max_retries: attempts after the first for faults of connection and server.
        opened: the model was trained by scripts/train_chatbot.py: it is not told what to do but given the turns and the
            opened one to continue (`kmi.dialogue_model.format`), which vLLM and its like can do.

    The key comes from KMI_API_KEY, else OPENAI_API_KEY; a server without keys needs none.
    """

    name = "openai"

    def __init__(
        self,
        base_url: str | None = None,
        model: str | None = None,
        *,
        concurrency: int = 16,
        timeout_sec: float = 120.0,
        max_retries: int = 6,
        opened: bool = False,
    ) -> None:
        if concurrency < 1:
            raise ConfigError(f"Expected a concurrency of at least 1, got {concurrency}.")
        if timeout_sec <= 0 or max_retries < 0:
            raise ConfigError(f"Expected timeout_sec > 0 and max_retries >= 0, got {timeout_sec} and {max_retries}.")
        self.model, self.concurrency, self.opened = model, concurrency, opened
        self.url, userinfo = split_url(base_url)
        self._client = connect(self.url, userinfo, timeout_sec, max_retries)
        self._hide = hider(self._client.api_key, userinfo)
        self._hide_in_answer = hider(self._client.api_key, userinfo, SHORTEST_SECRET)
        self._slots = asyncio.Semaphore(concurrency)

    def describe(self) -> dict[str, Any]:
        """Model (None before `prepare` where it was left open) and URL without credentials."""
        return {"writer": self.name, "model": self.model, "base_url": self.url, **({"opened": True} if self.opened else {})}

    async def prepare(self) -> None:
        """Asks the server for its models; one that is not listed gets a one-token trial request.

        Some servers answer to more names than they list, and some list nothing.
        """
        listed = await self._models()
        if self.model is None and len(listed) == 1:
            self.model = listed[0]
        elif self.model is None:
            found = f"it has {allowed(listed)}" if listed else "it lists none"
            raise WriterUnavailable(f"Expected the model of {self.url} to use; {found}.", "Choose one with --model.")
        elif self.model not in listed:
            obstacle = await self._trial()
            if obstacle and listed:
                obstacle = WriterUnavailable(f"{obstacle.problem} It lists {allowed(listed)}.", obstacle.next_step)
            if obstacle:
                raise obstacle

    async def write(self, request: WriteRequest) -> Completion:
        """Answers one request; unusable answers are asked for again with the next seed."""
        problem = ""
        async with self._slots:
            for attempt in range(UNUSABLE_RETRIES + 1):
                try:
                    return self._completion(request, await self._reply(request, request.seed + attempt))
                except _Unusable as error:
                    problem = str(error)
                    log.info("request %s: the answer %s; asking again", request.id, problem)
        times = UNUSABLE_RETRIES + 1
        raise WriterError(f"Request {request.id}: no usable answer in {times} attempts; the last one {problem}.")

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def _reply(self, request: WriteRequest, seed: int) -> Any:
        """The server's reply, however long it limits the rate; errors already judged."""
        import openai

        waited = 0.0
        while True:
            try:
                return await self._client.chat.completions.create(
                    model=self.model or "",
                    **self._asked(request),
                    max_tokens=request.max_tokens,
                    temperature=request.temperature,
                    seed=seed,
                )
            except (json.JSONDecodeError, UnicodeDecodeError):
                raise _Unusable("was broken JSON") from None
            except UnicodeEncodeError:
                raise WriterError(f"Request {request.id}: the prompt holds half a character (a lone surrogate).") from None
            except openai.OpenAIError as error:
                if not _asks_to_wait(error):
                    raise await self._judge(error, f"Request {request.id}") from None
                waited += await self._wait(error, waited)

    def _asked(self, request: WriteRequest) -> dict[str, Any]:
        """The messages, and how the server is to read them."""
        if not self.opened:
            return {"messages": list(request.messages)}
        if request.cue.role == "session":
            raise ConfigError("A model that continues opened turns works turn by turn.", "Use --mode turn, or leave --opened out.")
        from kmi.dialogue_model.format import prompt_messages

        cue = request.cue
        messages = prompt_messages(cue.said, cue.role, cue.kind, cue.context)
        return {"messages": messages, "extra_body": {"continue_final_message": True, "add_generation_prompt": False}}

    def _completion(self, request: WriteRequest, reply: Any) -> Completion:
        choices = getattr(reply, "choices", None)
        if not choices:
            raise _Unusable(f"was no chat completion: {self._shown(getattr(reply, 'error', None) or reply)}")
        choice = choices[0]
        if choice.finish_reason == "content_filter" or getattr(choice.message, "refusal", None):
            raise WriterError(f"Request {request.id}: refused by the server's content filter.")
        text = self._hide_in_answer(answer_text(choice.message.content or ""))
        if not text:
            spent = ", all tokens spent (on reasoning?)" if choice.finish_reason == "length" else ""
            raise _Unusable(f"had no text{spent}")
        usage = reply.usage
        return Completion(
            text,
            prompt_tokens=(usage and usage.prompt_tokens) or 0,
            output_tokens=(usage and usage.completion_tokens) or 0,
            model=self._hide_in_answer(reply.model or ""),
        )

    async def _wait(self, error: Any, waited: float) -> float:
        """Sleeps as long as the server asks and returns the seconds, or gives up for good.

        A rate limit is never the fault of one request, so it never fails one.
        """
        if error.code == "insufficient_quota":
            raise WriterUnavailable(f"The account at {self.url} has no quota left.", "Top it up and run again.") from None
        try:
            pause = max(float(error.response.headers["retry-after"]), 1.0)
        except (KeyError, ValueError):
            pause = RATE_LIMIT_PAUSE_SEC
        if waited + pause > RATE_LIMIT_PATIENCE_SEC:
            problem = f"{self.url} limits the rate and asks to wait {pause:.0f} s, after {waited:.0f} s waited already."
            raise WriterUnavailable(problem, "Run again later, or with a lower --concurrency.") from None
        log.warning("%s limits the rate; waiting %.0f s", self.url, pause)
        await asyncio.sleep(pause)
        return pause

    async def _judge(self, error: "openai.OpenAIError", what: str) -> WriterError:
        """Turns a client error into the failure of `what`, or of everything (`WriterUnavailable`)."""
        verdict = self._verdict(error)
        if verdict is None:
            return WriterError(f"{what}: refused by the server: {self._shown(error)}")
        if getattr(error, "status_code", 500) >= 500 and await self._trial() is None:
            # The server works, so something about this request is too much for it.
            return WriterError(f"{what}: failed after {self._client.max_retries} retries: {self._shown(error)}")
        return verdict

    def _verdict(self, error: "openai.OpenAIError") -> WriterUnavailable | None:
        """What an error says about the server as a whole; None if nothing."""
        status = getattr(error, "status_code", None)
        if status is None:
            port = urlsplit(self.url).port or 8000
            problem = f"No model server answers at {self.url} ({self._shown(error.__cause__ or error)})."
            start = f"Start one, for example: vllm serve MODEL --port {port}"
            return WriterUnavailable(problem, f"{start} - or correct --base-url ({URL_VARIABLES[0]}).")
        if status in (401, 403):
            return self._wrong_key(status)
        if status == 402:
            return WriterUnavailable(f"{self.url} asks for payment (HTTP 402).", "Top the account up and run again.")
        if status == 404:
            problem = f"{self.url} knows no model {self.model!r} or no such path ({self._shown(error)})."
            return WriterUnavailable(problem, "Check --model, and that --base-url ends where the API starts, usually /v1.")
        if status >= 500:
            problem = f"The model server at {self.url} gives nothing but errors ({self._shown(error)})."
            return WriterUnavailable(problem, "Look into the server's log, then run again.")
        return None

    async def _models(self) -> list[str]:
        """Ids the server lists; empty where it keeps no list, or one it cannot show."""
        import openai

        try:
            page = await self._probe().models.list()
        except openai.OpenAIError as error:
            status = getattr(error, "status_code", None)
            if status in (None, 401, 403):
                raise self._verdict(error) from None
            return []
        except ValueError:  # not JSON
            return []
        return [model.id for model in getattr(page, "data", None) or []]

    async def _trial(self) -> WriterUnavailable | None:
        """Asks for one token; what keeps the server from giving it, or None."""
        import openai

        messages = [{"role": "user", "content": "안녕하세요"}]
        try:
            await self._probe().chat.completions.create(model=self.model or "", messages=messages, max_tokens=1)
        except openai.RateLimitError:
            return None
        except openai.OpenAIError as error:
            refused = WriterUnavailable(f"{self.url} refuses a trial request: {self._shown(error)}.", "Check --model.")
            return self._verdict(error) or refused
        except ValueError:
            return WriterUnavailable(f"{self.url} answers a trial request with broken JSON.", "Check --base-url.")
        return None

    def _probe(self) -> "openai.AsyncOpenAI":
        return self._client.with_options(max_retries=PROBE_RETRIES, timeout=PROBE_TIMEOUT_SEC)

    def _wrong_key(self, status: int) -> WriterUnavailable:
        # The server's own words stay out: some repeat the key they were given.
        variable = variable_in_use(KEY_VARIABLES)
        if variable:
            problem, next_step = f"refuses the key in {variable} (HTTP {status}).", f"Set a valid one: export {variable}=..."
        else:
            problem, next_step = f"wants a key (HTTP {status}).", f"Set it: export {KEY_VARIABLES[0]}=..."
        return WriterUnavailable(f"{self.url} {problem}", next_step)

    def _shown(self, message: object) -> str:
        """A server's words, fit to be shown: one short line without key or password, in no form that was sent."""
        text, body = str(message), getattr(message, "body", None)
        # The client quotes only bodies of the form {"error": {"message"}}; some servers say {"detail"}.
        text = f"{text} - {body}" if body and " - " not in text else text
        text = self._hide(" ".join(text.split())).rstrip(".")
        return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."


def _asks_to_wait(error: "openai.OpenAIError") -> bool:
    """Whether the server is up and wants to be asked later: 429, or a 5xx that says when."""
    import openai

    if isinstance(error, openai.InternalServerError):
        return "retry-after" in error.response.headers
    return isinstance(error, openai.RateLimitError)
