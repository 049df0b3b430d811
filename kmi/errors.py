"""The errors KMI raises on purpose.

Each says three things: what was expected, what came, and what to type next.
Commands print them on one line and exit with `EXIT_BAD_INPUT`; anything else that
escapes is a bug and keeps its traceback.
"""

import sys
from collections.abc import Callable

EXIT_BAD_INPUT = 2


class KmiError(ValueError):
    """Base of every expected error.

    Args:
        problem: what was expected and what came, in one sentence.
        next_step: what the user can type or change now; may be empty.
    """

    def __init__(self, problem: str, next_step: str = "") -> None:
        self.problem, self.next_step = _printable(problem), _printable(next_step)
        super().__init__(f"{self.problem} {self.next_step}".strip())


class DataError(KmiError):
    """A record, source file or transcript that does not hold what it should."""


class ConfigError(KmiError):
    """An option, path, writer or model name that cannot work."""


class WriterError(KmiError):
    """A writer could not answer one request; the session fails, the run goes on."""


class WriterUnavailable(WriterError):
    """A writer cannot answer anything (unreachable, wrong key); the run stops and can resume."""


class MissingExtra(KmiError):
    """An optional dependency is absent; names the step and the pip line."""

    def __init__(self, step: str, module: str, extra: str) -> None:
        super().__init__(
            f"{step} needs the package '{module}', which is not installed.",
            f"Install it with: pip install 'kmi[{extra}]'",
        )


def _printable(text: str) -> str:
    """With control and half characters as escapes: what a file or server says must not command a terminal nor break a log."""
    return "".join(letter if letter.isprintable() or letter == "\n" else letter.encode("unicode_escape").decode() for letter in text)


def allowed(values: object, limit: int = 12) -> str:
    """Lists values on one line for a message, cut after `limit`; a file's own (a header's cells) can run over lines and pages."""
    items = [f"{' '.join(str(value).split()):.200}" for value in values]
    return ", ".join(items[:limit]) + (f" and {len(items) - limit} more" if len(items) > limit else "")


def run_command(main: Callable[[], int]) -> None:
    """Runs a script's `main`, turning a `KmiError` into one line on stderr and exit code 2."""
    try:
        code = main()
    except KmiError as error:
        print(f"error: {error}", file=sys.stderr)
        code = EXIT_BAD_INPUT
    except KeyboardInterrupt:
        print("interrupted: what was finished is kept; run the same command again to go on", file=sys.stderr)
        code = 130
    sys.exit(code)
