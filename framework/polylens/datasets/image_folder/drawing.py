"""Which images of a folder are drawn, in which order, and what takes the place of a broken one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Int64

from polylens.datasets._order import stratified_order
from polylens.datasets.image_folder.listing import ImageFile, Listing
from polylens.errors import DataError, UsageError
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.datasets.image_folder import ImageFolder


@dataclass(eq=False)
class Drawing:
    """Images in the order in which they are drawn, until there are enough that can be used."""

    files: Sequence[ImageFile]
    """First those that are drawn if all can be used, then those that may take another one's place."""
    wanted: int
    per_class: int | None
    tried: int = 0
    """How many were given out."""
    _taken: dict[int, int] = field(default_factory=dict)
    """By class, how many can be used."""

    def next_files(self) -> list[ImageFile]:
        """The next images to try, as many as are still wanted; none where there are enough, or no more."""
        found: list[ImageFile] = []
        coming = dict(self._taken)
        missing = self.wanted - sum(self._taken.values())
        while len(found) < missing and self.tried < len(self.files):
            file = self.files[self.tried]
            if self.per_class is not None and coming.get(file.target, 0) >= self.per_class:
                if self._taken.get(file.target, 0) < self.per_class:
                    break  # whether this one is needed is not known before the ones found are tried
                self.tried += 1
                continue
            coming[file.target] = coming.get(file.target, 0) + 1
            self.tried += 1
            found.append(file)
        return found

    def take(self, file: ImageFile) -> None:
        """Counts an image that can be used."""
        self._taken[file.target] = self._taken.get(file.target, 0) + 1


def drawing(
    dataset: ImageFolder,
    listing: Listing,
    *,
    streams: Streams,
    split: Literal["train"] | None,
    limit: int | None,
    folder: Path,
) -> Drawing:
    """The order in which the dataset draws, and how many.

    Raises:
        DataError: there are fewer images than asked for.
        UsageError: training examples are asked for and none are kept.
    """
    pool = np.sort(_pool(dataset, listing, streams=streams, split=split))
    targets = targets_of(listing.files)
    capped, others = _capped(pool, targets, dataset.per_class, streams=streams)
    wanted = _wanted(dataset, len(capped), limit=limit, split=split, folder=folder)
    generator = streams.generator("draw")
    if dataset.draw == "uniform":
        order = generator.permutation(capped)
    else:
        order = capped[stratified_order(targets[capped], generator=generator)]
    files = [listing.files[index] for index in (*order, *others)]
    return Drawing(files, wanted, dataset.per_class)


def targets_of(files: Sequence[ImageFile]) -> Int64[np.ndarray, "files"]:
    """The class of each file."""
    return np.array([file.target for file in files], dtype=np.int64)


def _pool(
    dataset: ImageFolder, listing: Listing, *, streams: Streams, split: Literal["train"] | None
) -> Int64[np.ndarray, "pool"]:
    """Indices of the files that may be drawn."""
    if dataset.train_fraction is None:
        if split == "train":
            raise UsageError(
                "the image folder keeps no images for training", hint="set train_fraction, such as 0.8"
            )
        return np.arange(len(listing.files))
    order = stratified_order(targets_of(listing.files), generator=streams.generator("split"))
    n_train = round(len(order) * dataset.train_fraction)
    return order[:n_train] if split == "train" else order[n_train:]


def _capped(
    pool: Int64[np.ndarray, "pool"],
    targets: Int64[np.ndarray, "files"],
    per_class: int | None,
    *,
    streams: Streams,
) -> tuple[Int64[np.ndarray, "capped"], Int64[np.ndarray, "others"]]:
    """The images of each class that come first in a random order, rising, and the others in that order."""
    if per_class is None:
        return pool, pool[:0]
    shuffled = streams.generator("per class").permutation(pool)
    seen = np.zeros(int(targets.max()) + 1, dtype=np.int64)
    place = np.empty(len(shuffled), dtype=np.int64)
    for number, target in enumerate(targets[shuffled]):
        place[number] = seen[target]
        seen[target] += 1
    return np.sort(shuffled[place < per_class]), shuffled[place >= per_class]


def _wanted(
    dataset: ImageFolder, available: int, *, limit: int | None, split: Literal["train"] | None, folder: Path
) -> int:
    asked = None if split == "train" else dataset.examples
    if asked is not None and asked > available:
        kept = "" if dataset.train_fraction is None else " that are not kept for training"
        among = "" if dataset.classes is None else " of the classes chosen"
        most = "" if dataset.per_class is None else f", at most {dataset.per_class} of a class"
        raise DataError(
            f"{folder} holds {available} images{among}{kept}{most}, fewer than the {asked} asked for",
            hint="lower 'examples', or leave it out to take all",
        )
    if not available:
        raise DataError(f"no image in {folder} is left to draw", hint="change 'train_fraction'")
    return min(count for count in (asked, limit, available) if count is not None)
