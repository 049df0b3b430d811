"""The package as a whole: what importing costs, and the rules of the house that a machine can read."""

import ast
import json
import re
import subprocess
import sys
import textwrap

import pytest

from kmi.errors import (
    ConfigError,
    DataError,
    KmiError,
    MissingExtra,
    WriterError,
    WriterUnavailable,
    allowed,
    run_command,
)

HEAVY = ["torch", "datasets", "transformers", "accelerate", "sklearn", "numpy", "pandas", "pyarrow", "openai", "kiwipiepy", "httpx", "huggingface_hub"]
# Files that may be longer than 300 lines, with the reason.
LONG: dict[str, str] = {}
# Modules whose behaviour is tested through another, with the file that does it.
INDIRECT = {"kmi.writers.endpoint": "tests/writers/test_openai_server.py"}
# Kept short of a socket: a guard in the child process that no library can go round.
NO_NETWORK = """
    import socket

    class Refused(Exception):
        pass

    def refuse(*args, **kwargs):
        raise Refused(args)

    socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
"""


def child(code, **environment):
    """Runs code in a fresh interpreter without network; its last line is JSON."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(NO_NETWORK) + textwrap.dedent(code)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def modules(repository):
    return sorted((repository / "kmi").rglob("*.py"))


def dotted(repository, path):
    return ".".join(path.relative_to(repository).with_suffix("").parts).removesuffix(".__init__")


def loaded_after(statement):
    return child(f"""
        import json, sys
        {statement}
        print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
    """)


def test_importing_kmi_loads_nothing_heavy():
    assert loaded_after("import kmi") == []


@pytest.mark.parametrize(
    "module",
    ["kmi.codes", "kmi.dialogue", "kmi.clients.contexts", "kmi.clients.cases", "kmi.clients.danger", "kmi.simulation.decision", "kmi.simulation.ledger", "kmi.writers", "kmi.corpus.notation", "kmi.corpus.dialogue_checks"],
)
def test_light_modules_stay_light(module):
    assert loaded_after(f"import {module}") == []


def test_no_import_but_the_models_own_loads_torch_or_datasets(repository):
    names = [dotted(repository, path) for path in modules(repository)]
    heavy = child(f"""
        import importlib, json, sys
        found = {{}}
        for name in {names!r}:
            before = {{"torch", "datasets", "openai", "kiwipiepy", "accelerate"}} & set(sys.modules)
            importlib.import_module(name)
            new = {{"torch", "datasets", "openai", "kiwipiepy", "accelerate"}} & set(sys.modules) - before
            if new:
                found[name] = sorted(new)
        print(json.dumps(found))
    """)
    assert len(names) > 30
    # The network is written in torch and the evaluate modules are classes of evaluate; everything else imports inside functions.
    assert set(heavy) <= {"kmi.forecaster.model", "kmi.metrics.module", "kmi.metrics.demo"}, heavy


def test_imports_write_nothing_and_set_up_no_logging():
    found = child("""
        import json, logging, os, sys
        before = len(logging.getLogger().handlers)
        import kmi, kmi.simulation.runner, kmi.writers.retrieval, kmi.corpus.readers
        print(json.dumps([len(logging.getLogger().handlers) - before]))
    """)
    assert found == [0]


def test_the_public_names_are_there_and_no_others():
    import kmi

    assert sorted(kmi.__all__) == sorted(kmi._HOME)
    for name in kmi.__all__:
        assert getattr(kmi, name).__name__ == name
    with pytest.raises(AttributeError, match="'kmi' has no attribute 'load_datasets'"):
        kmi.load_datasets  # noqa: B018
    assert re.fullmatch(r"\d+\.\d+\.\d+", kmi.__version__)


def test_every_module_says_what_it_is_for(repository):
    paths = [path for path in modules(repository) + sorted((repository / "scripts").glob("*.py")) if path.read_text(encoding="utf-8").strip()]
    assert len(paths) > 30
    silent = [path.name for path in paths if len(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "") < 40]
    assert silent == []


def test_no_file_is_longer_than_300_lines_without_a_reason(repository):
    paths = modules(repository) + sorted((repository / "scripts").glob("*.py"))
    long = {str(path.relative_to(repository)) for path in paths if len(path.read_text(encoding="utf-8").splitlines()) > 300}
    assert long == set(LONG)


def test_tests_mirror_the_package(repository):
    """Every module with code is imported by some test of its own folder."""
    untested = []
    for path in modules(repository):
        text = path.read_text(encoding="utf-8")
        if path.name == "__init__.py" or "def " not in text:
            continue
        folder = repository / "tests" / path.parent.relative_to(repository / "kmi")
        tests = "\n".join(test.read_text(encoding="utf-8") for test in folder.glob("*.py"))
        home, name = dotted(repository, path.parent / "__init__.py"), path.stem
        named = rf"{re.escape(home)}\.{name}\b|from {re.escape(home)} import [^\n]*\b{name}\b"
        if not re.search(named, tests):
            untested.append(dotted(repository, path))
    assert untested == list(INDIRECT)
    assert all((repository / test).is_file() for test in INDIRECT.values())


def test_test_files_have_different_names(repository):
    """Without packages in tests/ two files of one name would hide each other."""
    names = [path.name for path in (repository / "tests").rglob("test_*.py")]
    assert len(names) > 20
    assert sorted({name for name in names if names.count(name) > 1}) == []
    assert not list((repository / "tests").rglob("__init__.py"))


def test_data_files_of_the_package_are_whole_utf8(repository):
    paths = [path for path in (repository / "kmi").rglob("*") if path.suffix in {".toml", ".txt", ".jsonl", ".json", ".md"}]
    assert len(paths) > 15
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert text.strip() and "\ufffd" not in text and not text.startswith("\ufeff"), path


def test_no_pickle_and_no_unsafe_yaml(repository):
    for path in modules(repository) + sorted((repository / "scripts").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(import|from) (pickle|dill|joblib|shelve)\b|yaml\.(load|unsafe_load|full_load)\(|(?<![.\w])(eval|exec)\(", text), path


@pytest.mark.parametrize("error", [DataError, ConfigError, WriterError, WriterUnavailable])
def test_errors_are_kmi_errors_with_a_next_step(error):
    raised = error("Expected a, got b.", "Type c.")
    assert isinstance(raised, KmiError)
    assert (str(raised), raised.problem, raised.next_step) == ("Expected a, got b. Type c.", "Expected a, got b.", "Type c.")
    assert str(error("Alone.")) == "Alone."


def test_an_unavailable_writer_is_a_writer_error_that_stops_the_run():
    assert issubclass(WriterUnavailable, WriterError)
    assert not issubclass(WriterError, WriterUnavailable)


def test_a_missing_extra_names_step_module_and_pip_line():
    message = str(MissingExtra("Checking speech level", "kiwipiepy", "generate"))
    assert "Checking speech level" in message and "'kiwipiepy'" in message and "pip install 'kmi[generate]'" in message


def test_a_message_cannot_command_a_terminal():
    error = DataError("got \x1b[2J\x00\r\u2028\ud83d", "Type\tc.")
    assert str(error) == error.problem + " " + error.next_step == "got \\x1b[2J\\x00\\r\\u2028\\ud83d Type\\tc."
    assert str(DataError("두 줄\n둘")) == "두 줄\n둘"


def test_allowed_values_are_listed_and_cut():
    assert allowed(["a", 2]) == "a, 2"
    assert allowed(range(15), 3) == "0, 1, 2 and 12 more"
    assert allowed([]) == ""


@pytest.mark.parametrize(
    ("outcome", "code", "shown"),
    [
        (lambda: 0, 0, ""),
        (lambda: 1, 1, ""),
        (DataError("Expected a, got b.", "Type c."), 2, "error: Expected a, got b. Type c.\n"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_commands_end_with_a_code_and_one_line(capsys, outcome, code, shown):
    def main():
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome()

    with pytest.raises(SystemExit) as ended:
        run_command(main)
    assert ended.value.code == code
    error = capsys.readouterr().err
    assert error.startswith(shown) and error.count("\n") == bool(shown)


def test_a_bug_keeps_its_traceback():
    def main():
        raise TypeError("a bug")

    with pytest.raises(TypeError):
        run_command(main)
