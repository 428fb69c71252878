"""Families of directions, and which of their directions are taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from polylens.progress import Progress
from polylens.statistics import (
    Components,
    Scoring,
    column_variances,
    independent_components,
    nonnegative_components,
    principal_components,
    random_directions,
    scores_in_blocks,
    sparse_features,
    standardise,
)
from polylens.streams import Streams
from polylens.wording import short
from polylens.work import Keeper

Chosen = Literal["variance", "peak"]
RANDOM = "random"
"""The control: directions drawn at random."""

_PEAK_ROWS = 4096
"""Most rows on which peaks are compared."""


@dataclass(frozen=True)
class SaeTraining:
    """How a sparse autoencoder is trained."""

    expansion: int
    active: int
    steps: int
    batch: int


@dataclass(frozen=True)
class Family:
    """The directions of one family that were taken, the first chosen first."""

    name: str
    scores: Float32[np.ndarray, "rows directions"]
    """How far each row lies along each direction; larger is further."""
    unit: Int64[np.ndarray, "directions"]
    """Which neuron, component or feature it is."""
    sign: Int64[np.ndarray, "directions"]
    """-1 where the direction is the opposite of the family's own."""
    variance_share: Float64[np.ndarray, "directions"]
    """Variance of what the direction adds to rows, over the rows' variance."""
    notes: tuple[str, ...] = ()

    def first(self, count: int) -> Family:
        """The first directions."""
        return Family(
            self.name,
            self.scores[:, :count],
            self.unit[:count],
            self.sign[:count],
            self.variance_share[:count],
            self.notes,
        )


@dataclass(frozen=True)
class Search:
    """How directions of a family are found and chosen."""

    count: int
    """How many directions are wanted."""
    members: int
    """Rows of a usual direction, for peaks."""
    chosen: Chosen
    """By the variance that directions add to rows, or by how far their top rows stand out."""
    fit_rows: int
    """Most rows on which directions are found, drawn at random."""
    training: SaeTraining
    """Of the sparse autoencoder."""


def family_of(
    values: Float32[np.ndarray, "rows width"],
    name: str,
    search: Search,
    *,
    streams: Streams,
    progress: Progress,
    keeper: Keeper | None,
) -> Family:
    """The directions of one family, found on some of the rows, with the scores of all rows.

    Args:
        values: the rows.
        name: of the family.
        search: how directions are found, and how many at most.
        streams: of draws and starts.
        progress: where training shows itself.
        keeper: keeps the directions and their scores.
    """
    kept = None if keeper is None else keeper.load(name)
    if kept is not None:
        notes = tuple(kept["notes"].tobytes().decode().splitlines())
        return Family(name, kept["scores"], kept["unit"], kept["sign"], kept["variance_share"], notes)
    family = _find_family(values, name, search, streams, progress)
    if keeper is not None:
        keeper.save(
            name,
            {
                "scores": family.scores,
                "unit": family.unit,
                "sign": family.sign,
                "variance_share": family.variance_share,
                "notes": np.frombuffer("\n".join(family.notes).encode(), dtype=np.uint8),
            },
        )
    return family


def _find_family(
    values: Float32[np.ndarray, "rows width"], name: str, search: Search, streams: Streams, progress: Progress
) -> Family:
    fitted = values
    if len(values) > search.fit_rows:
        drawn = streams.generator("rows").choice(len(values), size=search.fit_rows, replace=False)
        fitted = values[np.sort(drawn)]
    directions = _find_directions(fitted, name, search.count, search.training, streams, progress)
    own = fitted[streams.generator("peaks").permutation(len(fitted))[:_PEAK_ROWS]]
    scores = scores_in_blocks(directions.score, own, count=len(directions.variance))
    # Which way a component points is arbitrary but for those that are never negative: the long tail is up.
    either_way = name in ("pca", "ica", RANDOM)
    turned = ((scores - scores.mean(0)) ** 3).sum(0) < 0 if either_way else np.zeros(scores.shape[1], bool)
    unit, sign = _choose(
        scores,
        directions.variance,
        np.asarray(turned),
        two_ways=either_way or (name == "neurons" and bool(values.min() < 0)),
        count=search.count,
        chosen=search.chosen,
        members=search.members * len(own) / len(values),
    )

    def pick(some: Float32[np.ndarray, "some width"]) -> Float32[np.ndarray, "some taken"]:
        return np.asarray(directions.score(some)[:, unit] * sign.astype(np.float32))

    total = float(column_variances(fitted).sum())
    share = directions.variance[unit] / total if total > 0 else np.zeros(len(unit))
    return Family(name, scores_in_blocks(pick, values, count=len(unit)), unit, sign, share, directions.notes)


@dataclass(frozen=True)
class _Directions:
    """All directions of a family."""

    score: Scoring
    variance: Float64[np.ndarray, "directions"]
    """Variance over the rows of what each direction adds to them."""
    notes: tuple[str, ...] = ()


def _find_directions(
    values: Float32[np.ndarray, "rows width"],
    name: str,
    count: int,
    training: SaeTraining,
    streams: Streams,
    progress: Progress,
) -> _Directions:
    if name == "neurons":
        return _Directions(lambda some: some, column_variances(values))
    if name == "sae":
        return _train_autoencoder(values, training, streams, progress)
    makers: dict[str, Callable[..., Components]] = {
        "pca": principal_components,
        "ica": independent_components,
        "nmf": nonnegative_components,
        RANDOM: random_directions,
    }
    made = makers[name](values, count=count, generator=streams.generator("start"))
    lengths = (made.directions.astype(np.float64) ** 2).sum(1)
    return _Directions(made.score, made.scores(values).var(0, dtype=np.float64) * lengths, made.notes)


def _train_autoencoder(
    values: Float32[np.ndarray, "rows width"], training: SaeTraining, streams: Streams, progress: Progress
) -> _Directions:
    """The features of a sparse autoencoder."""
    features = training.expansion * values.shape[1]
    with progress.task("training a sparse autoencoder", total=training.steps, unit="steps") as task:
        trained = sparse_features(
            values,
            features=features,
            active=training.active,
            steps=training.steps,
            batch=training.batch,
            streams=streams,
            after_each=task.advance,
        )
    told = (
        f"The sparse autoencoder leaves {short(trained.unexplained)} of the rows' variance unexplained; "
        f"{trained.dead} of its {features} features are silent on all rows."
    )
    return _Directions(trained.components.score, trained.variance, (told,))


def _choose(
    scores: Float32[np.ndarray, "rows directions"],
    variance: Float64[np.ndarray, "directions"],
    turned: Bool[np.ndarray, "directions"],
    *,
    two_ways: bool,
    count: int,
    chosen: Chosen,
    members: float,
) -> tuple[Int64[np.ndarray, "taken"], Int64[np.ndarray, "taken"]]:
    """Which directions are taken in which order, and which way each points.

    Opposites come after all directions are used up.
    """
    sign = np.where(turned, -1, 1).astype(np.int64)
    merit = variance
    if chosen == "peak":
        size = min(max(round(members), 1), len(scores))
        heights = -np.partition(-standardise(scores) * sign, size - 1, axis=0)[:size]
        merit = heights.mean(0)
    alive = np.flatnonzero(variance > 0)
    order = alive[np.argsort(-merit[alive], kind="stable")].astype(np.int64)
    if not two_ways:
        return order[:count], sign[order[:count]]
    return np.concatenate([order, order])[:count], np.concatenate([sign[order], -sign[order]])[:count]
