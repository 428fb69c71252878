"""What a kind does in a few words, read from its source: to import every kind takes seconds."""

from __future__ import annotations

import ast
import inspect

from polylens.plugin import load_kind, source_of


def kind_summary(family: str, name: str) -> str:
    """The first paragraph of a kind's documentation, in one line.

    It is read from the file of a kind that polylens ships; another package's kind is loaded for it.

    Raises:
        UnknownKindError: no such kind.
        ImportError, TypeError: another package's kind cannot be loaded.
    """
    source = source_of(family, name)
    node = None if source is None else _class_of(source.read_bytes(), name)
    about = load_kind(family, name).__doc__ if node is None else ast.get_docstring(node)
    return first_paragraph(inspect.cleandoc(about or ""))


def first_paragraph(about: str) -> str:
    """The first paragraph of a documentation, in one line.

    >>> first_paragraph("Takes every\\nthird row.\\n\\nThe others are left out.")
    'Takes every third row.'
    """
    return " ".join(about.partition("\n\n")[0].split())


def _class_of(source: bytes, name: str) -> ast.ClassDef | None:
    """The class of a kind's file: its one public class, else the one that is named for the file."""
    classes = [statement for statement in ast.parse(source).body if isinstance(statement, ast.ClassDef)]
    public = [node for node in classes if not node.name.startswith("_")]
    if len(public) == 1:
        return public[0]
    return next((node for node in public if node.name.lower() == name.replace("_", "")), None)
