"""The cards of one analysis as the report shows them: with what each shows when it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from polylens.records import Labels, Partition
from polylens.report import ClusterCards
from polylens.study.card_details import codes_of, nearest_of, scores_of_clusters
from polylens.study.clustered_texts import clustered_text
from polylens.study.drawing import Drawing
from polylens.study.people.walked import people_of_walk
from polylens.study.walk import Walk


def opened_cards(drawing: Drawing, name: str) -> ClusterCards | None:
    """The clusters of one analysis with nearest clusters, codes, the controls' clusters and a whole text.

    None where the analysis gives no clusters.
    """
    cards, walk = drawing.cards(name), drawing.walk
    if cards is None:
        return None
    rows, own = walk.rows(walk.own), walk.own
    partition = walk.findings(own, name).clusters(name)
    distance_is, nearest = nearest_of(partition, rows)
    people = next((each for each in people_of_walk(walk) if each.of == name), None)
    verdicts = {} if people is None else people.verdicts()
    codes = None if rows.codes is None else [*codes_of(np.asarray(partition.exemplars), rows.codes)]
    return replace(
        cards,
        clusters=tuple(
            replace(
                card,
                nearest=nearest[card.number],
                code=None if codes is None else codes[card.number],
                people=verdicts.get(card.number, ()),
            )
            for card in cards.clusters
        ),
        distance_is=distance_is,
        of_controls=_of_controls(walk, name),
        text=clustered_text(partition, rows, walk.plan.examples),
    )


def _of_controls(walk: Walk, name: str) -> dict[str, dict[str, tuple[float, ...]]]:
    """By score and control: the score of each cluster of all its draws."""
    labelled = next(
        (key for key, item in walk.own.labels.items() if item.label.shows(name)),
        None,
    )
    draws: dict[str, list[tuple[Partition, Labels | None]]] = {}
    for variant in walk.plan.variants:
        if variant.is_own or name not in variant.analyses:
            continue
        partition = walk.findings(variant, name).partition
        has_labels = labelled is not None and labelled in variant.labels
        labels = walk.naming.labels(variant, labelled) if labelled is not None and has_labels else None
        if partition is not None:
            draws.setdefault(variant.name, []).append((partition, labels))
    by_control = {control: scores_of_clusters(each) for control, each in draws.items()}
    names = dict.fromkeys(score for scores in by_control.values() for score in scores)
    return {score: _by_control(by_control, score) for score in names}


def _by_control(
    by_control: Mapping[str, Mapping[str, tuple[float, ...]]], score: str
) -> dict[str, tuple[float, ...]]:
    return {control: scores[score] for control, scores in by_control.items() if score in scores}
