"""From errors to exit codes, in one place."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from polylens.cli import VERBS, main
from polylens.errors import DataError, Place, Problem, SpecError, StageError, UsageError


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException | int], None]:
    """Makes `polylens schema` fail in a way, or return a number."""

    def install(outcome: BaseException | int) -> None:
        @click.command()
        def command() -> int:
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        monkeypatch.setattr(importlib.import_module("polylens.cli.schema"), "command", command)

    return install


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (0, 0),
        (3, 3),
        (DataError("no images", hint="look in data/"), 1),
        (StageError("harvest", "no memory", hint="take a smaller batch"), 1),
        (UsageError("no such thing"), 2),
        (SpecError([Problem("wrong", Place("a.yaml", 3, 1, "a: b"))]), 2),
        (click.UsageError("no such option"), 2),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (ZeroDivisionError("division by zero"), 1),
    ],
)
def test_each_outcome_has_its_code_and_no_trace(
    failing: Callable[[BaseException | int], None],
    outcome: BaseException | int,
    code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    failing(outcome)
    assert main(["schema"]) == code
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    assert said.out == ""
    if isinstance(outcome, DataError):
        assert said.err == "error: no images\n  look in data/\n"


@pytest.mark.parametrize("arguments", [["schema", "--traceback"], ["--traceback", "schema"]])
def test_a_trace_is_shown_where_it_is_asked_for(
    failing: Callable[[BaseException | int], None], arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    failing(DataError("no images"))
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert "Traceback (most recent call last)" in said
    assert said.endswith("error: no images\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["vaildate"], "no verb 'vaildate'; did you mean 'validate'?"),
        (["validate"], "Missing argument 'SPEC...'"),
        (["validate", "--sett", "x"], "No such option"),
        (["ls", "model"], "no family 'model'\n  did you mean 'models'?"),
        (["describe", "hdbscn"], "no entry and no kind 'hdbscn' in any family\n  did you mean 'hdbscan'?"),
        (["describe", "digits/"], "'digits/' is not FAMILY/NAME"),
        (["describe", "models/mpl"], "no entry and no kind 'mpl' in models"),
        (["new", "sampling/x", "--kind", "evenly"], "no kind 'evenly' in sampling"),
    ],
)
def test_wrong_usage_leaves_with_2_and_says_what_was_meant(
    arguments: list[str], says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert says in capsys.readouterr().err


def test_every_verb_has_its_file_and_its_line_of_help(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in VERBS:
        command = importlib.import_module(f"polylens.cli.{verb}").command
        assert isinstance(command, click.Command)
        assert command.help
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"\n  {verb} " in out for verb in VERBS)


def test_help_and_version_import_next_to_nothing() -> None:
    program = (
        "import sys; from polylens.cli import main\n"
        "assert main(['--help']) == main(['--version']) == main([]) == 0\n"
        "late = {'pydantic', 'numpy', 'yaml', 'omegaconf', 'rich', 'torch'}\n"
        "print(sorted(late & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "polylens 0" in done.stdout


def test_a_reader_that_leaves_early_gets_no_trace(folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "polylens", "ls"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")
