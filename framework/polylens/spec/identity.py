"""What a child is, as data that changes exactly when its numbers can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polylens.digests import digest
from polylens.labels import Label
from polylens.scores import Score
from polylens.spec.experiment import Experiment

REFERENCE = "of"
"""The field by which analyses and labels name the analyses that they stand on."""
BESIDE = "beside"
"""The field by which scores name the analysis whose row sets are scored beside the clusters."""


def without_references(identity: Mapping[str, Any]) -> dict[str, Any]:
    """The identity of an analysis or a label without the names of the analyses that it stands on.

    A digest has the digests of these analyses instead, so that renaming one changes nothing.
    """
    return {key: value for key, value in identity.items() if key not in (REFERENCE, BESIDE)}


def scientific_fields(experiment: Experiment) -> dict[str, Any]:
    """The fields that can change a number, as plain data: no `about`, no `claim`, no names of siblings.

    Analyses and labels are listed by what they are; in place of the name that `of` gives stands the digest of
    the analysis it names. An alias of a layer counts as the layer.
    """
    by_name: dict[str, dict[str, Any]] = {}

    def analysis(name: str) -> dict[str, Any]:
        if name not in by_name:
            member = experiment.analyses[name]
            upstream = {other: digest(analysis(other)) for other in member.upstream()}
            by_name[name] = _with_digests(member.identity(), upstream)
        return by_name[name]

    def score(member: Score) -> dict[str, Any]:
        # Its numbers carry the names of the labels, so these count.
        scored = {name: label(experiment.labels[name]) for name in scored_labels(member, experiment.labels)}
        plain = {**_with_digests(member.identity(), {member.of: digest(analysis(member.of))})}
        if member.beside is not None:
            plain[BESIDE] = digest(analysis(member.beside))
        return {**plain, "labels": {name: digest(each) for name, each in scored.items()}}

    def label(member: Label) -> dict[str, Any]:
        return _with_digests(member.identity(), {member.of: digest(analysis(member.of))})

    # Without scores nothing is said of them: experiments from before there were any stay what they are.
    scores = sorted((score(member) for member in experiment.scores.values()), key=digest)
    return {
        **({"scores": scores} if scores else {}),
        "seed": experiment.seed,
        "model": experiment.model.identity(),
        "layer": experiment.module_path,
        "dataset": experiment.dataset.identity(),
        "sampling": None if experiment.sampling is None else experiment.sampling.identity(),
        "code": None if experiment.code is None else experiment.code.identity(),
        "controls": sorted((named.control.identity() for named in experiment.controls), key=digest),
        "analyses": sorted((analysis(name) for name in experiment.analyses), key=digest),
        "labels": sorted((label(member) for member in experiment.labels.values()), key=digest),
    }


def experiment_digest(experiment: Experiment) -> str:
    """The digest of one experiment: of its scientific fields and of the names its numbers carry.

    A changed `about` or `claim`, or another order of keys, leaves it as it is. A changed name does not: the
    same numbers under other names are another run.
    """
    names = {
        "controls": {named.name: named.control.identity() for named in experiment.controls},
        "analyses": {name: member.identity() for name, member in experiment.analyses.items()},
        "labels": {name: member.identity() for name, member in experiment.labels.items()},
    }
    if experiment.scores:
        names["scores"] = {name: member.identity() for name, member in experiment.scores.items()}
    return digest([scientific_fields(experiment), names])


def scored_labels(score: Score, labels: Mapping[str, Label]) -> tuple[str, ...]:
    """Names of the labels that a score is of: those it names, or else all of its analysis."""
    if not score.needs_labels:
        return ()
    return score.labels or tuple(name for name, label in labels.items() if label.of == score.of)


def _with_digests(identity: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, Any]:
    """The identity of an analysis or a label with digests in place of the names that it refers to."""
    names = identity.get(REFERENCE)
    if isinstance(names, str):
        return {**identity, REFERENCE: digests.get(names, names)}
    if isinstance(names, list):
        return {**identity, REFERENCE: [digests.get(name, name) for name in names]}
    return dict(identity)
