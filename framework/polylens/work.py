"""What a stage is handed besides its rows: randomness, what it stands on, progress, and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from polylens.errors import KindError
from polylens.progress import Progress, Silent
from polylens.records import Examples, Findings, Network, Shown
from polylens.streams import Streams

if TYPE_CHECKING:
    import numpy as np


class Keeper(Protocol):
    """Keeps arrays until the stage is finished, so that it goes on where it was interrupted."""

    def part(self, name: str) -> Keeper:
        """A keeper for one part of the work, which has names of its own."""

    def load(self, name: str) -> Mapping[str, np.ndarray] | None:
        """The arrays that were kept under a name; None where there are none."""

    def save(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keeps arrays under a name; they replace those that were there."""


@dataclass(frozen=True)
class Server:
    """A server that judges are asked on."""

    address: str
    """Where it is, such as `http://127.0.0.1:8000/v1`; without any secret."""
    key: str = field(default="", repr=False)
    """What it asks for; never written anywhere."""


@dataclass(frozen=True)
class Judging:
    """What judges need beside their fields; none of it is in a spec, and none of it in a digest."""

    servers: Mapping[str, Server] = field(default_factory=dict)
    """By the name that specs give."""
    answers: Path | None = None
    """Folder where every answer is kept as it comes; None where none is."""
    root: Path = field(default_factory=Path)
    """Folder that relative files of a spec start from."""


@dataclass(frozen=True)
class RowSource:
    """Where rows come from."""

    examples: Examples
    """All of the dataset; `Origins.example` of the rows says which each row is of."""
    network: Callable[[], Network]
    """Gives the network, on the device to compute on. It may have to be built first."""


class Siblings(dict[str, Findings]):
    """Findings of the siblings that an analysis names by `upstream`, by name.

    Args:
        asker: the analysis's kind, for the message where it asks for another one.
        findings: what they found.
    """

    def __init__(self, asker: str, findings: Mapping[str, Findings]) -> None:
        super().__init__(findings)
        self._asker = asker

    def __missing__(self, name: str) -> Findings:
        named = ", ".join(f"'{each}'" for each in self) or "nothing"
        raise KindError(
            f"'{self._asker}' asks for the findings of '{name}', and its `upstream` names {named}",
            hint="let `upstream` return the names of the analyses that it stands on: (self.of,)",
        )


@dataclass(frozen=True)
class Work:
    """What `run`, `probe` and `label` take besides rows and network; a new service is a field here."""

    streams: Streams
    """All randomness; every draw is named."""
    upstream: Mapping[str, Findings] = field(default_factory=dict)
    """Findings of the siblings that the analysis names, by name, and of its groundwork under `GROUNDWORK`."""
    progress: Progress = field(default_factory=Silent)
    """Where long work shows itself."""
    keeper: Keeper | None = None
    """Where finished parts of long work outlive an interrupt; None where nothing is kept."""
    among: int = 1
    """How many partitions the spec labels, of all its layers together. A level of chance is of all of them:
    each takes its share (Bonferroni), so that more layers do not mean more names by chance."""
    judging: Judging = field(default_factory=Judging)
    """How judges are asked, for labels and scores that ask one."""
    shown: Callable[[int], Shown] | None = None
    """What people and judges are shown of a row, by its number; None where nothing is there to show."""
    source: RowSource | None = None
    """Where the rows come from, for labels that ask the network more of them; None where nobody says."""
