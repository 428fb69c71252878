"""Errors as people read them: every problem with its line, a caret, and what was probably meant."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import click

from polylens.errors import Place, PolylensError, Problem, SpecError


def show_error(error: PolylensError) -> int:
    """Prints an error that polylens raised on purpose, and gives the exit code that belongs to it."""
    if isinstance(error, SpecError):
        show_problems(error.problems)
        return error.exit_code
    click.echo(f"{click.style('error:', fg='red', bold=True)} {error.message}", err=True)
    _show_place(error.place)
    if error.hint is not None:
        click.echo(f"  {error.hint}", err=True)
    return error.exit_code


def show_failure(name: str, error: PolylensError, *, place: Place | None) -> None:
    """Prints why one run failed, with the line of the spec that asked for the stage."""
    click.echo(f"{click.style('failed:', fg='red', bold=True)} {name}: {error.message}", err=True)
    _show_place(place)
    if error.hint is not None:
        click.echo(f"  {error.hint}", err=True)


def _show_place(place: Place | None) -> None:
    if place is not None:
        click.echo(f"  asked for at {place.file}:{place.line}:{place.column}", err=True)
        for line in _excerpt(place, ""):
            click.echo(line, err=True)


def show_unexpected(error: Exception) -> int:
    """Prints an error that nobody foresaw, and gives its exit code."""
    said = str(error).strip().partition("\n")[0]
    click.echo(f"{click.style('error:', fg='red', bold=True)} {type(error).__name__}: {said}", err=True)
    click.echo("  this was not foreseen; the same command with --traceback shows where it happened", err=True)
    return 1


def show_problems(problems: Sequence[Problem]) -> None:
    """Prints problems to the terminal's error stream, and how many there are."""
    for problem in problems:
        for line in problem_lines(problem):
            click.echo(line, err=True)
    files = len({problem.place.file for problem in problems if problem.place is not None}) or 1
    click.echo(f"{_count(len(problems), 'error')} in {_count(files, 'file')}; nothing was run", err=True)


def problem_lines(problem: Problem) -> Iterator[str]:
    """One problem as lines, coloured where the terminal can show it."""
    place = problem.place
    where = "" if place is None else f"{place.file}:{place.line}:{place.column}: "
    yield click.style(where, bold=True) + problem.message
    meant = "" if problem.suggestion is None else f"did you mean '{problem.suggestion}'?"
    if meant and meant in problem.message:
        meant = ""
    if place is not None and place.text.strip():
        yield from _excerpt(place, meant)
    elif meant:
        yield f"  {meant}"
    yield from (f"  {note}" for note in problem.notes)


def problem_record(problem: Problem) -> dict[str, Any]:
    """One problem as `--json` prints it; these keys are a promise to scripts."""
    place = problem.place
    return {
        "file": None if place is None else place.file,
        "line": None if place is None else place.line,
        "column": None if place is None else place.column,
        "path": problem.path,
        "message": problem.message,
        "suggestion": problem.suggestion,
    }


def _excerpt(place: Place, meant: str) -> Iterator[str]:
    number = f"{place.line:>5}"
    yield f"{number} | {place.text.replace(chr(9), ' ')}"
    before, under = place.text[: place.column - 1], place.text[place.column - 1 :][: place.length]
    carets = "^" * max(_cells(under), 1)
    pointer = f"{' ' * len(number)} | {' ' * _cells(before)}{click.style(carets, fg='red', bold=True)}"
    yield f"{pointer} {meant}".rstrip()


def _cells(text: str) -> int:
    """Columns a text takes in a terminal."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    marks = sum(unicodedata.combining(character) != 0 for character in text)
    return len(text) + wide - marks


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
