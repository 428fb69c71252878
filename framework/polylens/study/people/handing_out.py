"""Writes a sheet for people, with its pictures beside it, and keeps what its lines stand for."""

from __future__ import annotations

from pathlib import Path

from polylens.annotation import csv_of, json_of
from polylens.errors import UsageError
from polylens.records import Context
from polylens.report import PictureLine, PictureSheet
from polylens.store import Annotations, file_from_bytes
from polylens.study.people.sheets import Handout
from polylens.study.people.subject import PeopleSubject

ENDINGS = (".csv", ".json")


def hand_out(handout: Handout, subject: PeopleSubject, *, to: Path) -> tuple[Path, ...]:
    """Writes the sheet, and where its rows are pictures a page of them beside it.

    Args:
        handout: the sheet.
        subject: the clusters that it is of.
        to: the file, which must not be there yet: it may be filled already.

    Returns:
        The files that were written.

    Raises:
        UsageError: a file is there already, cannot be written, or has another ending.
    """
    contents = {to: json_of(handout.sheet) if to.suffix.lower() == ".json" else csv_of(handout.sheet)}
    pictures = _pictures_of(handout)
    if pictures is not None:
        from polylens.report.page import render_pictures

        contents[to.with_suffix(".html")] = render_pictures(pictures).encode()
    for path in contents:
        if path.exists():
            raise UsageError(
                f"{path} is there already, and somebody may have filled it",
                hint="give the sheet another name, or move that file away",
            )
    # What nobody could read back is not handed out: first the key, then the sheet.
    Annotations(subject.run.settings.store, subject.digest).keep_sheet(handout.sheet.name, handout.key)
    for path, content in contents.items():
        try:
            file_from_bytes(path, content)
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}") from error
    return tuple(contents)


def check_ending(path: Path) -> None:
    """Refuses a file that is neither CSV nor JSON by its name.

    Raises:
        UsageError: it has another ending.
    """
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"'{path}' is no name of a sheet", hint=f"it ends in {' or '.join(ENDINGS)}")


def _pictures_of(handout: Handout) -> PictureSheet | None:
    """The pictures of every line; None where rows are texts."""
    sheet = handout.sheet
    is_blind = bool(handout.key["blind"])
    lines = []
    for line, shown in zip(sheet.lines, handout.shown, strict=True):
        pictures = tuple(each for each in shown if isinstance(each, Context))
        if len(pictures) < len(shown):
            return None
        labels = ", ".join(f"{name}: {text}" for name, text in line.labels.items() if text)
        about = (
            "" if is_blind else f"cluster {line.cluster}, {line.size:,} rows{'; ' if labels else ''}{labels}"
        )
        lines.append(PictureLine(line.id, about, pictures))
    title = f"{sheet.run}: groups to judge" if is_blind else f"{sheet.run}: {sheet.of}"
    return PictureSheet(title, tuple(lines), names=not is_blind)
