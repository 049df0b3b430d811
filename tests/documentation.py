"""What the documentation shows to be typed: code blocks of Markdown, commands, examples in docstrings."""

import argparse
import ast
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*(.*?)\s*$")
# A command: variables set for it, a program and more.
COMMAND = r"(?:[A-Z_]+=\S+ )*(?:python|accelerate launch|bash) \S"
# A paragraph of a docstring that is Python, not a table or a drawing: a call, an import or an assignment.
PYTHON = re.compile(r"^(?:import|from) \w|\w\(|^\w+ = ", re.MULTILINE)
# Stands for the command above, or for arguments told elsewhere.
AS_ABOVE = "..."
# Runs examples in order; compiled at their own lines, so that a traceback names file and line of the documentation.
RUNNER = """
    import importlib, json, socket, sys

    def refuse(self, address):
        raise ConnectionError(f"an example of the documentation opened a connection to {address}")
    socket.socket.connect = socket.socket.connect_ex = refuse

    names = {"__name__": "__main__"}
    for example in json.load(sys.stdin):
        if example["module"]:  # a docstring's example sees the names of its module, as in doctest
            names = dict(vars(importlib.import_module(example["module"])))
        exec(compile("\\n" * (example["line"] - 1) + example["text"], example["path"], "exec"), names)
"""


@dataclass(frozen=True)
class Block:
    """A piece of code in a text: `path` of the file, number of its first `line`, its language `tag`, `module` for a docstring's."""

    path: str
    line: int
    tag: str
    text: str
    module: str = ""

    @property
    def place(self):
        return f"{self.path}:{self.line}"


def markdown_files():
    """Every Markdown file of the checkout, whether committed yet or not; no hidden folders and none that git ignores."""
    ignored = {line.rstrip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines() if line.endswith("/")}
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in ignored and not name.startswith(".")]
        found += [str((Path(folder) / name).relative_to(ROOT)) for name in names if name.endswith(".md")]
    return sorted(found)


def blocks_of(path, text):
    """The fenced blocks of a Markdown text; one that is not closed ends the text and has the tag "unclosed"."""
    found, fence, tag, begin, lines = [], None, "", 0, text.splitlines()
    for number, line in enumerate(lines, 1):
        mark = FENCE.match(line)
        if fence is None and mark:
            fence, tag, begin = mark[1], mark[2], number
        elif fence and mark and mark[1].startswith(fence) and not mark[2]:
            found.append(Block(path, begin + 1, tag, textwrap.dedent("\n".join(lines[begin : number - 1]))))
            fence = None
    if fence:
        found.append(Block(path, begin, "unclosed", ""))
    return found


def prose(path, text):
    """The lines of a Markdown text, those within fenced blocks left empty."""
    lines = text.splitlines()
    for block in blocks_of(path, text):
        inside = len(block.text.splitlines())
        lines[block.line - 1 : block.line - 1 + inside] = [""] * inside
    return lines


def commands_of(block):
    """(line number, command) for each command of a shell block: comments left out, continued lines and `...` put together."""
    found, number, continued = [], block.line, " \0"
    for line in block.text.replace("\\\n", continued).splitlines():
        command = shlex.join(shlex.split(line.replace(continued, " "), comments=True))
        if command.startswith(AS_ABOVE + " "):
            command = found[-1][1] + command.removeprefix(AS_ABOVE)
        if command:
            found.append((number, command))
        number += 1 + line.count(continued)
    return found


def inline_commands(path, text):
    """(line number, command) for commands in the prose of a Markdown text."""
    return [(number, found) for number, line in enumerate(prose(path, text), 1) for found in re.findall(rf"`({COMMAND}[^`]*)`", line)]


def docstring_paragraphs(path):
    """The indented paragraphs in the docstrings of a Python file: commands, Python, or else tables and drawings ("text")."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (text := ast.get_docstring(node)):
            line = node.body[0].lineno
            for paragraph in text.split("\n\n"):
                if all(part.startswith("    ") for part in paragraph.splitlines()):
                    code = textwrap.dedent(paragraph)
                    tag = "bash" if re.match(COMMAND, code) else "python" if PYTHON.search(code) else "text"
                    yield Block(str(path.relative_to(ROOT)), line, tag, code, module)
                line += paragraph.count("\n") + 2


def run_python(examples, home):
    """Runs examples in a fresh interpreter at the repository's root, without network and with an empty cache in `home`."""
    told = json.dumps([vars(example) for example in examples])
    environment = {**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    return subprocess.run([sys.executable, "-c", textwrap.dedent(RUNNER)], input=told, cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8")


def split_command(command):
    """(script, its arguments) of a command that runs a Python file, through accelerate's own parser where that launches it; else None."""
    words = shlex.split(re.sub(r"^(?:[A-Z_]+=\S+ )+", "", command))
    if words[0] == "python" and words[1].endswith(".py"):
        return words[1], words[2:]
    if words[:2] == ["accelerate", "launch"]:
        from accelerate.commands.launch import launch_command_parser

        launched = launch_command_parser().parse_args(words[2:])
        return launched.training_script, launched.training_script_args
    return None


class Accepted(Exception):
    """A script's parser took its arguments."""


def parses(script, arguments):
    """Whether the script's own parser takes the arguments; its `main` is stopped there."""
    parse_args = argparse.ArgumentParser.parse_args

    def parse_and_stop(parser, given=None, namespace=None):
        parse_args(parser, given, namespace)
        raise Accepted

    if "argparse" not in (ROOT / script).read_text(encoding="utf-8"):
        return not arguments
    spec = importlib.util.spec_from_file_location(Path(script).stem, ROOT / script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)
        try:
            module.main(arguments)
        except Accepted:
            return True
        except SystemExit:
            return False
    raise AssertionError(f"{script}: its main ended without parsing arguments")
