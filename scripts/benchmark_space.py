"""Puts visitors into the Space's chat at once and measures how long each waits for the first text of a reply.

    python scripts/benchmark_space.py
    python scripts/benchmark_space.py --visitors 50 --turns 4 --pause 15

Starts the Space on this machine as the Hub would. Each visitor has a secret word of their own in every message; that another visitor is
shown it, an error, or a reply that never comes makes the run fail. Memory is the server's at its highest (Linux).
"""

import argparse
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SAYINGS = (
    "담배를 끊고 싶은데 자꾸 실패해요.", "요즘 아내랑 자주 다퉈요.", "시험이 얼마 안 남았는데 손에 안 잡혀요.", "술을 줄이라는데 저녁이 너무 길어요.",
    "그런 것도 같아요. 잘 모르겠어요.", "아이한테 소리를 질렀어요.", "운동을 하기는 해야 하는데요.", "그렇게까지는 생각 안 해 봤어요.",
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the visitors and prints one line for each figure."""
    options = parse(argv)
    started = time.monotonic()
    server, url = start()
    try:
        print(f"up after {time.monotonic() - started:.1f} s")
        visitors = [Visitor(number, url, options) for number in range(options.visitors)]
        for visitor in visitors:
            visitor.start()
        highest = 0
        while any(visitor.is_alive() for visitor in visitors):
            highest = max(highest, memory(server.pid))
            time.sleep(0.5)
    finally:
        server.terminate()
    return tell(visitors, highest)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=50, help="visitors at once")
    parser.add_argument("--turns", type=int, default=3, help="messages of each")
    parser.add_argument("--pause", type=float, default=15.0, help="seconds between two messages of a visitor")
    return parser.parse_args(argv)


class Visitor(threading.Thread):
    """One visitor: sends, waits for the whole reply, thinks, sends again."""

    def __init__(self, number: int, url: str, options: argparse.Namespace) -> None:
        super().__init__(daemon=True)
        self.secret, self.url, self.options = f"비밀{number:03d}번", url, options
        self.waits: list[float] = []
        self.shown: list[str] = []
        self.error: Exception | None = None

    def run(self) -> None:
        """Talks; what goes wrong is kept."""
        from gradio_client import Client

        try:
            rng = random.Random(self.secret)
            client = Client(self.url, verbose=False)
            time.sleep(rng.random() * self.options.pause)
            window: list = []
            for _ in range(self.options.turns):
                window = self._turn(client, f"{self.secret} {rng.choice(SAYINGS)}", window)
                time.sleep(self.options.pause)
        except Exception as error:
            self.error = error

    def _turn(self, client, text: str, window: list) -> list:
        asked = time.monotonic()
        job = client.submit(text, window, "ko", api_name="/chat")
        first = None
        for shown in job:
            if first is None and len(shown[1]) > len(window) + 1:
                first = time.monotonic() - asked
        if first is None:
            raise RuntimeError(f"no reply to {text!r}: {job.outputs()[-1:]}")
        self.waits.append(first)
        self.shown.append(str(shown))
        return shown[1]


def start() -> tuple[subprocess.Popen, str]:
    """The Space's process and its address, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1"}
    server = subprocess.Popen([sys.executable, ROOT / "spaces/kmi/app.py"], env=environment, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/"
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return server, url
        except OSError:
            time.sleep(0.2)
    server.kill()
    raise RuntimeError("the Space did not come up")


def memory(pid: int) -> int:
    """Resident memory of a process in bytes; 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS")), 0)


def tell(visitors: list[Visitor], highest: int) -> int:
    """Prints the figures; 1 where anything went wrong."""
    waits = sorted(wait for visitor in visitors for wait in visitor.waits)
    errors = [visitor.error for visitor in visitors if visitor.error]
    mixed = [other.secret for visitor in visitors for other in visitors if other is not visitor and any(other.secret in text for text in visitor.shown)]
    print(f"{len(visitors)} visitors, {len(waits)} replies, {len(errors)} errors, {len(mixed)} secrets shown to others")
    for error in errors[:3]:
        print(f"  {type(error).__name__}: {error}")
    if waits:
        print(f"first text after {statistics.median(waits):.2f} s (median), {waits[int(0.95 * (len(waits) - 1))]:.2f} s (95 of 100), {waits[-1]:.2f} s at worst")
    print(f"memory at most {highest / 1e9:.2f} GB")
    return int(bool(errors or mixed or not waits))


if __name__ == "__main__":
    sys.exit(main())
