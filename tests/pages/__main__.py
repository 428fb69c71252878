"""`python -m tests.pages OUTCOMES`: runs every example of the pages in the working directory, in one process.

OUTCOMES gets a JSON list of what is wrong, each with its page and line. What is shown as printed is looked
for line by line in what is printed, whatever stands between: `...` is for people. Numbers, digests and the
letters of notes count as equal, since processors round differently.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import traceback
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import click
from tests.pages.blocks import OTHERS, REPOSITORY, TUTORIAL, Block, Command, blocks
from tests.pages.given import given
from tests.pages.specs import check_spec
from tests.pictures import undrawn

from polylens.cli import VERBS, main
from polylens.memory import own_process
from polylens.spec import load

_NUMBER = re.compile(r"[0-9a-f]{10,}|-?\d+(\.\d+)?")
_NOTE = re.compile(r"0 [a-h]\b")
_WITHOUT_FIGURES = ("labels.md", "own-images.md", "own-network.md", "own-sampling-rule.md")
"""Pages whose runs are about numbers and names: of their figures nothing is shown."""


def troubles_of(page: Path, *, names: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is wrong with the examples of a page, which share their names."""
    for block in blocks(page):
        try:
            _try_block(block, names)
        except BaseException:
            place = {"page": page.relative_to(REPOSITORY).as_posix(), "line": block.line}
            yield place | {"trouble": traceback.format_exc(limit=-3)}


def _try_block(block: Block, names: dict[str, Any]) -> None:
    if block.language == "yaml" and not block.file:
        check_spec(block.text)
    elif block.file:
        Path(block.file).parent.mkdir(parents=True, exist_ok=True)
        Path(block.file).write_text(block.text, encoding="utf-8")
        if block.language == "python":
            compile(block.text, block.file, "exec")
    elif block.language == "python":
        _try_python(block, names)
    elif block.language == "console":
        for command in block.commands():
            _check_command(command) if block.why_not else _try_command(command)


def _try_python(block: Block, names: dict[str, Any]) -> None:
    code = compile(block.text, f"{block.page}:{block.line}", "exec")
    if block.why_not:
        return
    out = io.StringIO()
    with redirect_stdout(out):
        exec(code, names)
    _compare(block.printed, out.getvalue())


def _try_command(command: Command) -> None:
    words = shlex.split(command.words, comments=True)
    out = io.StringIO()
    if words[0] == "polylens":
        sys.argv = words
        with redirect_stdout(out), redirect_stderr(out):
            code = main(words[1:])
        printed = out.getvalue()
    else:
        script = f"{command.words}\necho; pwd"
        done = subprocess.run(["bash", "-ec", script], capture_output=True, text=True, check=False)
        code, printed = done.returncode, done.stdout + done.stderr
        if not code:
            os.chdir(done.stdout.splitlines()[-1])
    is_mistake = any("error" in line for line in command.printed)
    assert bool(code) == is_mistake, f"{command.words}: exit code {code}\n{printed}"
    _compare(command.printed, printed)


def _compare(shown: Sequence[str], printed: str) -> None:
    lines = iter([_plain(line) for line in printed.splitlines()])
    for line in shown:
        if line.strip() == "...":
            continue
        wanted = _plain(line)
        is_there = any(
            each.startswith(wanted.removesuffix(" ...")) if wanted.endswith(" ...") else each == wanted
            for each in lines
        )
        assert is_there, f"not printed, or not in this order: {line!r}\n{printed}"


def _plain(line: str) -> str:
    return _NOTE.sub("0", " ".join(_NUMBER.sub("0", line).split()))


def _check_command(command: Command) -> None:
    """Holds a command that is not run against what there is: verbs and flags, specs, extras, targets."""
    words = shlex.split(command.words, comments=True)
    if words[0] == "make":
        makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
        assert re.search(rf"^{words[1]}:", makefile, re.MULTILINE), f"no target {words[1]}"
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for extra in re.findall(r"\.\[([\w,-]+)\]", command.words):
        assert set(extra.split(",")) <= set(extras), f"no extra {extra}"
    if words[0] == "polylens":
        verb, *arguments = words[1:]
        assert verb in VERBS, f"no verb {verb}"
        module = __import__(f"polylens.cli.{verb}", fromlist=["command"])
        context: click.Context = module.command.make_context(verb, list(arguments))
        for spec in context.params.get("specs", ()):
            for file in sorted(spec.rglob("*.yaml")) if spec.is_dir() else [spec]:
                load(file, overrides=context.params.get("overrides", ()))


def run_all(outcomes: Path) -> None:
    """Runs the tutorial, and then the other pages in what it made, beside the shipped experiments."""
    troubles: list[dict[str, Any]] = []
    names: dict[str, Any] = {}
    sys.path.insert(0, str(Path("lab").absolute()))
    for page in [*TUTORIAL, *OTHERS]:
        with undrawn() if page.name in _WITHOUT_FIGURES else nullcontext():
            troubles += troubles_of(page, names=names if page in TUTORIAL else given())
    outcomes.write_text(json.dumps(troubles), encoding="utf-8")


if __name__ == "__main__":
    own_process()
    run_all(Path(sys.argv[1]).absolute())
