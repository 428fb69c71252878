"""What a child is, as data that changes exactly when its numbers can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polylens.digests import digest
from polylens.labels import Label
from polylens.spec.experiment import Experiment


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
            by_name[name] = _renamed(member.identity(), upstream)
        return by_name[name]

    def label(member: Label) -> dict[str, Any]:
        return _renamed(member.identity(), {member.of: digest(analysis(member.of))})

    return {
        "seed": experiment.seed,
        "model": experiment.model.identity(),
        "layer": experiment.model.aliases().get(experiment.layer, experiment.layer),
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
    return digest([scientific_fields(experiment), names])


def _renamed(identity: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, Any]:
    of = identity.get("of")
    if isinstance(of, str):
        return {**identity, "of": digests.get(of, of)}
    if isinstance(of, list):
        return {**identity, "of": [digests.get(name, name) for name in of]}
    return dict(identity)
