"""One registry entry: a noun that specs can use by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from polylens.errors import Problem, SpecError, nearest
from polylens.reading import Document, Plain, read

_TEXTS = ("about", "source", "licence")
_KEYS = (*_TEXTS, "entry")


@dataclass(frozen=True)
class Entry:
    """A registry file: what it is, where it comes from, and the value that stands for its name."""

    family: str
    name: str
    path: Path
    document: Document
    about: str
    source: str
    """Where the thing is published or was first used."""
    licence: str
    """The licence of what the entry names (weights, images), not of this file."""

    @property
    def kind(self) -> str:
        """The kind the entry is made of."""
        return str(self.fields["kind"])

    @property
    def fields(self) -> dict[str, Plain]:
        """The entry as it is written: `kind` and that kind's keys."""
        value = self.document.value
        fields = value["entry"] if isinstance(value, dict) else {}
        return fields if isinstance(fields, dict) else {}


def read_entry(path: Path, *, family: str, shown: str) -> Entry:
    """The registry entry in a file.

    Args:
        path: the file; its name is the entry's name.
        family: the family whose folder it lies in.
        shown: the file's name in errors.

    Raises:
        SpecError: the file is not an entry; carries every mistake.
    """
    document = read(path.read_bytes(), file=shown)
    value = document.value
    assert isinstance(value, dict)  # `read` gives nothing else
    problems = [_unknown_key(document, key) for key in value if key not in _KEYS]
    problems += [_missing_key(document, key) for key in _KEYS if key not in value]
    problems += [
        Problem(f"{key} must be a text", document.place((key,)), path=key)
        for key in _TEXTS
        if key in value and not (isinstance(value[key], str) and str(value[key]).strip())
    ]
    entry = value.get("entry")
    if "entry" in value and not (isinstance(entry, dict) and isinstance(entry.get("kind"), str)):
        problems.append(
            Problem(
                "entry must be a map with 'kind' and that kind's keys",
                document.place(("entry",), key=True),
                path="entry",
                notes=(f"`polylens ls {family}` lists the kinds",),
            )
        )
    if problems:
        raise SpecError(problems)
    texts = {key: str(value[key]).strip() for key in _TEXTS}
    return Entry(family=family, name=path.stem, path=path, document=document, **texts)


def _unknown_key(document: Document, key: str) -> Problem:
    notes = (f"allowed: {', '.join(_KEYS)}; the kind's own keys stand under 'entry'",)
    place = document.place((key,), key=True)
    message = f"unknown key '{key}' in a registry entry"
    return Problem(message, place, path=key, suggestion=nearest(key, _KEYS), notes=notes)


def _missing_key(document: Document, key: str) -> Problem:
    return Problem(f"a registry entry needs '{key}'", document.place(()), path=key)
