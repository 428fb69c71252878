"""Clusters as people see them: central members, random members, and some of the noise."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from jaxtyping import Float64, Int64

from polylens.bits import differing_from
from polylens.labels import Label
from polylens.records import NOISE, Context, Figure, Labels, Partition, Rows, Shown
from polylens.report import ClusterCard, ClusterCards
from polylens.streams import Streams

PICTURES = 12
"""Central and random members shown of each cluster, and members of the noise times two."""
FEW_PICTURES = 4
"""Central and random members of clusters behind the first."""
IN_FULL = 40
"""Clusters that get `PICTURES`, largest first; the page would grow too large otherwise."""
MOST_CLUSTERS = 800
"""Clusters that get any."""
IN_GALLERY = 19
"""Clusters the gallery shows, largest first: it has forty rows, and the last belongs to the noise."""
GALLERY = "gallery"
"""Name of the figure that shows the cards' pictures."""


def cards_of(
    name: str,
    partition: Partition,
    *,
    rows: Rows,
    context: Callable[[int, int], Shown],
    labels: Labels | None,
    label: Label | None,
    streams: Streams,
    most: int | None = None,
) -> ClusterCards:
    """One card a cluster, largest first, and noise drawn at random; `most` cards where that is given.

    `context` gives what is shown of an example at a position.
    """
    by_cluster = {} if labels is None else {entry.cluster: entry for entry in labels.clusters}
    cards = []
    for cluster in range(partition.n_clusters)[:most]:
        members = np.flatnonzero(partition.labels == cluster)
        count = PICTURES if cluster < IN_FULL else FEW_PICTURES if cluster < MOST_CLUSTERS else 0
        central = _central(members, partition, cluster, rows)[:count]
        drawn = _random_members(members, count, streams.generator(name, cluster))
        cards.append(
            ClusterCard(
                number=cluster,
                size=len(members),
                label=by_cluster.get(cluster),
                central=_contexts(central, rows, context),
                random=_contexts(drawn, rows, context),
                persistence=None if partition.persistence is None else float(partition.persistence[cluster]),
            )
        )
    noise = np.flatnonzero(partition.labels == NOISE)
    return ClusterCards(
        title=name,
        clusters=tuple(cards),
        about=_about(partition, label),
        noise=_contexts(
            _random_members(noise, 2 * PICTURES, streams.generator(name, "noise")), rows, context
        ),
        noise_size=len(noise),
    )


def gallery_of(cards: ClusterCards, *, subject: str) -> Figure | None:
    """The cards' pictures as one figure, for MLflow's page: central and random members, and noise.

    None where the members are texts: those are read on the page.
    """
    from polylens.figures import gallery

    images: dict[str, list[bytes]] = {}
    for card in cards.clusters[:IN_GALLERY]:
        images[f"cluster {card.number} · central"] = _pictures(card.central)
        images[f"cluster {card.number} · random"] = _pictures(card.random)
    images["noise · random"] = _pictures(cards.noise)
    if not any(images.values()):
        return None
    return Figure(
        name=GALLERY,
        title="Examples of each cluster",
        caption=f"{cards.about} {subject}",
        png=gallery(images),
        alt="Pictures of central and random members of each cluster, and of some noise.",
    )


def _pictures(contexts: Iterable[Shown]) -> list[bytes]:
    return [context.png for context in contexts if isinstance(context, Context)]


def _about(partition: Partition, label: Label | None) -> str:
    method = f"{partition.method[:1].upper()}{partition.method[1:]}."
    if label is None:
        return method
    return (
        f"{method} Labels by {label.kind()}: named on one part of the examples, scored on the rest. "
        "Central members are nearest to the cluster's medoid; random ones show its spread."
    )


def _central(
    members: Int64[np.ndarray, "members"], partition: Partition, cluster: int, rows: Rows
) -> Int64[np.ndarray, "shown"]:
    """The medoid and the members nearest to it, one row an example."""
    distances = _distances_to(int(partition.exemplars[cluster]), members, partition, rows)
    ordered = members[np.argsort(distances, kind="stable")]
    return _one_an_example(ordered, rows)


def _distances_to(
    medoid: int, members: Int64[np.ndarray, "members"], partition: Partition, rows: Rows
) -> Float64[np.ndarray, "members"]:
    if partition.space == "code" and rows.codes is not None:
        if rows.codes.scheme.is_graded:
            graded = rows.codes.graded
            return np.asarray(np.abs(graded[members] - graded[medoid]).sum(1, dtype=np.float64))
        return differing_from(rows.codes.packed, members, one=medoid).astype(np.float64)
    if rows.activations is None:
        return np.arange(len(members), dtype=np.float64)
    offsets = np.asarray(rows.activations[members], np.float64) - rows.activations[medoid]
    return np.asarray(np.einsum("rw,rw->r", offsets, offsets))


def _random_members(
    members: Int64[np.ndarray, "members"], count: int, generator: np.random.Generator
) -> Int64[np.ndarray, "drawn"]:
    return (
        generator.choice(members, size=min(count, len(members)), replace=False) if len(members) else members
    )


def _one_an_example(ordered: Int64[np.ndarray, "members"], rows: Rows) -> Int64[np.ndarray, "members"]:
    _, first = np.unique(rows.origins.example[ordered], return_index=True)
    return ordered[np.sort(first)]


def _contexts(chosen: Iterable[int], rows: Rows, context: Callable[[int, int], Shown]) -> tuple[Shown, ...]:
    origins = rows.origins
    return tuple(context(int(origins.example[row]), int(origins.position[row])) for row in chosen)
