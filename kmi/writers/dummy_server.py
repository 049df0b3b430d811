"""A model server that is none: OpenAI-compatible, on loopback, and it misbehaves on demand.

For tests, trials and benchmarks of everything that talks to a model server. It answers
`/v1/models` and `/v1/chat/completions` by a Python function, keeps a log of all it was
asked (headers, payload, times), and commits faults by plan (`kmi.writers.faults`).

    from kmi.writers.faults import seeded
    with DummyServer(answer=lambda payload: "네.", faults=seeded(0.3, seed=1)) as server:
        ...  # server.url, server.served, server.peak()

or `python -m kmi.writers.dummy_server --port 8000`.

Not covered: streaming, several choices, real token counts (two characters count as one
token), and any thought about what is said.
"""

import argparse
import contextlib
import json
import logging
import math
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from kmi.errors import ConfigError, run_command
from kmi.writers.faults import Fault, FaultPlan, Payload, script, spoiled

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Served:
    """One request, logged as it comes; times in seconds of `time.monotonic`."""

    path: str
    headers: dict[str, str]  # names in lower case
    payload: Payload
    start: float
    end: float = math.inf  # until answered
    fault: Fault | None = None


def plain_answer(payload: Payload) -> str:
    """The default answer: one Korean sentence that depends on how long the conversation is."""
    return f"네, 말씀 잘 들었습니다. 여기까지 {len(payload['messages'])}개의 메시지를 받았어요."


class DummyServer:
    """The server as a context manager; it listens on 127.0.0.1 once constructed, answers once entered.

    Args:
        answer: text of the answer for a payload; called in the request's thread.
        latency_sec, sec_per_token: time a chat completion takes, and each token of its answer besides.
        faults: plan of the faults in chat completions; None for none.
        key: the only key accepted, or None to accept all. Errors repeat the key they were
            given, as careless servers do.
        models: ids served; other models get a 404.
        listed: ids listed, where these are not all.
        port: 0 picks a free one.
    """

    def __init__(
        self,
        answer: Callable[[Payload], str] = plain_answer,
        *,
        latency_sec: float = 0.0,
        sec_per_token: float = 0.0,
        faults: FaultPlan | None = None,
        key: str | None = None,
        models: tuple[str, ...] = ("dummy",),
        listed: tuple[str, ...] | None = None,
        port: int = 0,
    ) -> None:
        self.answer, self.latency_sec, self.sec_per_token = answer, latency_sec, sec_per_token
        self.key, self.models, self.listed = key, models, models if listed is None else listed
        self.faults = faults or script()
        self.served: list[Served] = []
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        handler = type("Handler", (_Handler,), {"dummy": self})
        self._http = _Server(("127.0.0.1", port), handler)

    @property
    def url(self) -> str:
        """Base URL for clients, ending in /v1."""
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def chats(self) -> list[Served]:
        """The chat completion requests so far, in order of arrival, answered or not."""
        with self._lock:
            return [item for item in self.served if item.path == "/v1/chat/completions"]

    def peak(self) -> int:
        """The largest number of chat completions that were under way at the same moment."""
        # An end sorts before a start at the same time: touching intervals do not overlap.
        events = sorted([(item.start, 1) for item in self.chats()] + [(item.end, -1) for item in self.chats()])
        level = most = 0
        for _, step in events:
            level += step
            most = max(most, level)
        return most

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()

    def plan(self, payload: Payload) -> Fault | None:
        """The fault for this request; counts it as asked."""
        messages = json.dumps(payload.get("messages"))
        with self._lock:
            attempt = self._asked[messages]
            self._asked[messages] += 1
        return self.faults(payload, attempt)

    def record(self, item: Served) -> None:
        """Adds to the log."""
        with self._lock:
            self.served.append(item)

    def wait(self, seconds: float) -> None:
        """Sleeps, but no longer than the server lives."""
        self._closing.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # The default of 5 resets connections when a run opens its 64 at once.
    request_queue_size = 256

    def __init__(self, *args: Any) -> None:
        self._open: set[Any] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Breaks connections that clients keep for later, as a killed server does."""
        super().server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news; a mistake in `answer` or in a plan is."""
        known = isinstance(sys.exception(), ConnectionError)
        log.log(logging.DEBUG if known else logging.ERROR, "request of %s failed", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    dummy: DummyServer
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet: two small ones would wait 40 ms for each other's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        entry = self._log({})
        if self._accepted():
            models = {"object": "list", "data": [{"id": name, "object": "model", "owned_by": "kmi"} for name in self.dummy.listed]}
            self._send(200, models) if self.path == "/v1/models" else self._not_found()
        entry.end = time.monotonic()

    def do_POST(self) -> None:
        entry = self._log(json.loads(self.rfile.read(int(self.headers.get("content-length", 0)))))
        if self.path != "/v1/chat/completions":
            self._not_found()
        elif self._accepted():
            entry.fault = self.dummy.plan(entry.payload)
            self.dummy.wait(self.dummy.latency_sec)
            self._commit(entry.fault, entry.payload) if entry.fault else self._answer(entry.payload)
        entry.end = time.monotonic()

    def _log(self, payload: Payload) -> Served:
        headers = {name.lower(): value for name, value in self.headers.items()}
        entry = Served(self.path, headers, payload, time.monotonic())
        self.dummy.record(entry)
        return entry

    def _accepted(self) -> bool:
        if self.dummy.key in (None, self._given_key()):
            return True
        self._send(401, _error(f"Incorrect API key provided: {self._given_key()}", "invalid_api_key"))
        return False

    def _given_key(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    def _not_found(self) -> None:
        self._send(404, {"detail": "Not Found"})

    def _answer(self, payload: Payload, text: str | None = None) -> None:
        if payload.get("model") not in self.dummy.models:
            self._send(404, _error(f"The model '{payload.get('model')}' does not exist.", "model_not_found"))
        else:
            completion = _completion(payload, self.dummy.answer(payload) if text is None else text)
            self.dummy.wait(self.dummy.sec_per_token * completion["usage"]["completion_tokens"])
            self._send(200, completion)

    def _commit(self, fault: Fault, payload: Payload) -> None:
        match fault.kind:
            case "status":
                self._send(int(fault.value), _error(f"a planned fault, key {self._given_key()}", "planned"))
            case "rate_limit":
                headers = {"Retry-After": str(fault.value)} if fault.value else {}
                self._send(429, _error("slow down", "rate_limit_exceeded"), headers)
            case "quota":
                self._send(429, _error("You exceeded your current quota.", "insufficient_quota"))
            case "redirect":
                self._send(307, {}, {"Location": str(fault.value)})
            case "truncate":
                data = _json(_completion(payload, self.dummy.answer(payload)))
                self._send(200, data[: len(data) // 2])
            case "not_json":
                self._send(200, b"<html>Welcome</html>", {"Content-Type": "text/html"})
            case "empty":
                self._answer(payload, text="")
            case "slow":
                self.dummy.wait(float(fault.value))
                self._answer(payload)
            case "hang" | "drop":
                self.dummy.wait(float(fault.value))
                self.close_connection = True
                with contextlib.suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
            case wrong_words:
                self._answer(payload, spoiled(self.dummy.answer(payload), wrong_words, payload))

    def _send(self, status: int, body: Payload | bytes, headers: dict[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else _json(body)
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {}), "Content-Length": len(data)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are kept in `DummyServer.served`; the terminal stays quiet."""
        log.debug(format, *args)


def _json(body: Payload) -> bytes:
    # Raw UTF-8 as real servers send it: a cut may fall into the middle of a Korean letter.
    return json.dumps(body, ensure_ascii=False).encode()


def _completion(payload: Payload, text: str) -> Payload:
    prompt = sum(len(str(message.get("content"))) for message in payload["messages"])
    usage = {"prompt_tokens": prompt // 2, "completion_tokens": len(text) // 2}
    return {
        "id": "chatcmpl-dummy",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": payload["model"],
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {**usage, "total_tokens": sum(usage.values())},
    }


def _error(message: str, code: str) -> Payload:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


def main(argv: list[str] | None = None) -> int:
    """Serves plain answers until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m kmi.writers.dummy_server", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8000, help="port on 127.0.0.1; 0 picks a free one (default: 8000)")
    parser.add_argument("--latency-sec", type=float, default=0.0, help="time an answer takes (default: 0)")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        server = DummyServer(latency_sec=options.latency_sec, port=options.port)
    except OSError as error:
        raise ConfigError(f"Port {options.port} on 127.0.0.1 cannot be used ({error.strerror}).", "Choose another with --port.") from None
    with server:
        log.info("serving model 'dummy' at %s, stop with Ctrl+C", server.url)
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    run_command(main)
