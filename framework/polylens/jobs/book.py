"""Which job does which run: a file beside the jobs' logs, by which the same command finds them again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from polylens.errors import StoreError
from polylens.store import explain_disk_errors, file_from_bytes, hold_lock


@dataclass(frozen=True)
class Entry:
    """One run that was handed over."""

    job: str
    """Number of its job, such as `1234_0`."""
    name: str
    launcher: str


class JobBook:
    """The jobs of the studies of one name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "jobs.json"

    @contextmanager
    def open(self) -> Iterator[None]:
        """A block in which no other command hands over jobs of these studies."""
        with explain_disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        with hold_lock(self.folder / "jobs.lock"):
            yield

    def entries(self) -> dict[str, Entry]:
        """What was handed over, by the runs' digests.

        Raises:
            StoreError: the file cannot be read.
        """
        try:
            plain = json.loads(self._file.read_bytes())
            return {digest: Entry(**entry) for digest, entry in plain.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise StoreError(
                f"{self._file} cannot be read: {error}",
                hint="it says which jobs do which runs; delete it once none of them runs any more",
            ) from error

    def note(self, entries: Mapping[str, Entry]) -> None:
        """Adds what was handed over, for the holder of `open`."""
        known = {**self.entries(), **entries}
        content = json.dumps({digest: asdict(entry) for digest, entry in known.items()}, indent=1)
        with explain_disk_errors(self.folder):
            file_from_bytes(self._file, content.encode())
