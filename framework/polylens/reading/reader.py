"""From text to a document, refusing everything in YAML that is not plain data."""

from __future__ import annotations

from polylens.errors import Place, Problem, SpecError
from polylens.reading.builder import Builder
from polylens.reading.document import Document


def read(text: str | bytes, *, file: str) -> Document:
    """The document in `text`, which must be one map.

    Args:
        text: the file's text, or its bytes, which must be UTF-8.
        file: the name shown in errors.

    Raises:
        SpecError: the text is not strict YAML; carries every problem that could be found.

    >>> read("seed: 010", file="spec.yaml").value
    {'seed': 10}
    """
    if isinstance(text, bytes):
        text = _decode(text, file=file)
    reader = Builder(text, file=file)
    root = reader.document()
    if not reader.problems:
        if root is None or (root.value is None and not root.place.text.strip()):
            reader.refuse(
                "the file is empty; `polylens new experiment` writes one to start from", reader.start()
            )
        elif not isinstance(root.value, dict):
            reader.refuse("the file must hold a map: `key: value` lines", root.place)
    if reader.problems or root is None:
        raise SpecError(reader.problems)
    return Document(file=file, root=root)


def read_value(text: str, *, file: str = "--set", line: str | None = None, column: int = 1) -> Document:
    """One value as `--set` takes it: a scalar, or a list or map in brackets, read as strictly as a file.

    Args:
        text: the value.
        file: the name shown in errors.
        line: what errors quote; the value itself if not given.
        column: where in `line` the value starts, counted from 1.

    Raises:
        SpecError: not one plain value.

    >>> read_value("[1e-4, no, {use: digits}]").value
    [0.0001, 'no', {'use': 'digits'}]
    """
    line = text if line is None else line
    reader = Builder(" " * (column - 1) + text, file=file, quoted=line)
    whole = Place(
        file=file, line=1, column=min(column, max(len(line), 1)), text=line, length=max(len(text), 1)
    )
    if "\n" in text or "\r" in text:
        reader.refuse("a value given on the command line must be one line", whole)
        raise SpecError(reader.problems)
    if not text.strip():
        reader.refuse(
            "nothing stands after '='; write `null` to remove a key, `\"\"` for an empty text", whole
        )
        raise SpecError(reader.problems)
    root = reader.document()
    if not reader.problems and root is not None:
        if reader.block_style:
            reader.refuse(
                "a map needs braces here, such as {use: name}; a text with ': ' needs quotes", whole
            )
        elif "#" in line[reader.end_column :]:
            reader.refuse("'#' starts a comment here; put the value in quotes", whole)
    if reader.problems or root is None:
        raise SpecError(reader.problems)
    return Document(file=file, root=root)


def _decode(data: bytes, *, file: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", errors="replace")) + 1
        text = data.splitlines()[line - 1].decode("utf-8", errors="replace")
        place = Place(file=file, line=line, column=column, text=text)
        problem = Problem(
            "the file is not UTF-8 text", place, notes=("save it as UTF-8 without a byte order mark",)
        )
        raise SpecError([problem]) from None
