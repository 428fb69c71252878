"""Documents taken once from where reading is slow, and kept in a file of our own."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from polylens.digests import file_sha256
from polylens.errors import DataError
from polylens.progress import Progress, Silent
from polylens.text.documents import Documents, TextDocument, gone

_FILE, _ABOUT = "documents.parquet", "documents.json"
_GROUP = 64
"""Documents written and read at once."""


class TakenDocuments(Documents):
    """Documents kept in one Parquet file, called `TITLE:NUMBER`, counted from 1 in the order they came."""

    def __init__(self, folder: Path, *, title: str) -> None:
        about = json.loads((folder / _ABOUT).read_bytes())
        self.title = title
        self._file = folder / _FILE
        self._count = int(about["documents"])
        self._texts = str(about["texts"])

    def __len__(self) -> int:
        return self._count

    def fingerprint(self, *, cache: Path | None, progress: Progress) -> str:
        """Digest of all texts in their order, whatever file they are in."""
        return self._texts

    def read(self, numbers: Sequence[int]) -> Iterator[TextDocument]:
        """These documents one by one; ascending numbers are read in one pass."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(self._file) as file:
            for group, members in groupby(numbers, key=lambda number: number // _GROUP):
                rows = file.read_row_group(group).to_pylist()
                for number in members:
                    row = rows[number - group * _GROUP]
                    yield TextDocument(f"{self.title}:{number + 1}", row["text"], row["problem"])

    def text(self, name: str) -> str:
        """One document's text, read again."""
        try:
            document = next(self.read([int(name.rpartition(":")[2]) - 1]))
        except (OSError, ValueError, LookupError) as error:
            raise gone(name, title=self.title, why=str(error)) from error
        return document.text


def taken_documents(
    key: str,
    texts: Callable[[], Iterator[Any]],
    *,
    title: str,
    documents: int,
    cache: Path | None,
    progress: Progress | None = None,
) -> TakenDocuments:
    """The first `documents` of `texts`, kept under a key, or taken now and kept.

    What is damaged is taken again. Two processes that take the same at once leave one of the two whole.

    Args:
        key: digest of all that the texts depend on.
        texts: opens them; what is no text becomes a document that says so.
        title: what errors and documents call the source.
        documents: how many are taken.
        cache: folder where they are kept; without it they last as long as the result.
        progress: shows how many are taken.

    Raises:
        DataError: there are fewer.
    """

    def take(folder: Path) -> None:
        with (progress or Silent()).task("taking documents", total=documents, unit="documents") as task:
            count = _write(folder, islice(texts(), documents), advance=task.advance)
        if count < documents:
            raise DataError(
                f"{title} holds {count} documents, fewer than the {documents} asked for",
                hint=f"lower 'documents' to {count}" if count else "name another 'split'",
            )

    if cache is None:
        return _in_scratch(take, title=title)
    folder = cache / f"documents-{key}"
    if not _is_whole(folder):
        _take_into(folder, take)
    return TakenDocuments(folder, title=title)


def _in_scratch(take: Callable[[Path], None], *, title: str) -> TakenDocuments:
    """Documents in a folder of their own, which is removed when nobody has them any more."""
    scratch = Path(tempfile.mkdtemp(prefix="polylens-documents-"))
    try:
        take(scratch)
        taken = TakenDocuments(scratch, title=title)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    weakref.finalize(taken, shutil.rmtree, scratch, ignore_errors=True)
    return taken


def _take_into(folder: Path, take: Callable[[Path], None]) -> None:
    """Takes documents beside a folder and moves them there, whole, unless another process was faster."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".documents-", dir=folder.parent))
    try:
        take(beside)
        if not _is_whole(folder):
            shutil.rmtree(folder, ignore_errors=True)
            try:
                beside.rename(folder)
            except OSError:
                if not _is_whole(folder):
                    raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write(folder: Path, texts: Iterator[Any], *, advance: Callable[[int], None]) -> int:
    """Writes texts as they come, a few at a time, and gives how many there were."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("text", pa.string()), ("problem", pa.string())])
    contents, count = hashlib.sha256(), 0
    with pq.ParquetWriter(folder / _FILE, schema, compression="zstd") as writer:
        while few := [_check_text(value) for value in islice(texts, _GROUP)]:
            writer.write_table(pa.table(dict(zip(schema.names, zip(*few, strict=True), strict=True)), schema))
            contents.update(json.dumps(few).encode())
            count += len(few)
            advance(len(few))
    about = {
        "documents": count,
        "texts": contents.hexdigest(),
        "file": file_sha256(folder / _FILE),
    }
    (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")
    return count


def _check_text(value: Any) -> tuple[str, str]:
    """A text and what is wrong with it."""
    if value is None:
        return "", "empty"
    if not isinstance(value, str):
        return "", f"no text but {type(value).__name__}"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "", "not UTF-8"
    return value, ""


def _is_whole(folder: Path) -> bool:
    try:
        about = json.loads((folder / _ABOUT).read_bytes())
        return bool(about["file"] == file_sha256(folder / _FILE))
    except (OSError, ValueError, KeyError, TypeError):
        return False
