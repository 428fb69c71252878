"""What places a run on its report: network, weights, examples, rows, and how the page was made."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from polylens.errors import listed
from polylens.plugin import packages_in
from polylens.records import Codes, Examples
from polylens.study.plans import ChildPlan
from polylens.study.subject import explained_in_words
from polylens.study.walk import Walk
from polylens.tracking import collect_provenance
from polylens.wording import short

_MOST_CLASSES = 12
"""Classes that are listed with their counts."""


def facts_of(walk: Walk) -> Iterator[tuple[str, str]]:
    """Names and values: the network and its weights, the examples and their classes, rows, code and seed."""
    plan, experiment = walk.plan, walk.plan.experiment
    rows = walk.rows(plan.own)
    yield "Model", plan.names["model"]
    yield "Weights", experiment.model.weights_in_words()
    yield "Layer", experiment.layer
    source = experiment.dataset.source_in_words()
    yield "Dataset", f"{plan.names['dataset']}{f', from {source}' if source else ''}"
    yield "Examples", _examples(plan)
    if plan.examples.classes and plan.examples.targets is not None:
        yield f"{len(plan.examples.classes)} classes", _classes(plan.examples)
    yield "Rows", f"{len(rows):,}"
    if rows.origins.n_copies:
        yield "Copies", f"{rows.origins.n_copies:,} examples, each with what it is a copy of as one"
    yield "Positions", _positions(plan, has_grid=bool(rows.origins.grid))
    if rows.codes is not None:
        yield from _code_facts(rows.codes)
    yield "Seed", str(experiment.seed)


def making_of(plan: ChildPlan) -> Iterator[tuple[str, str]]:
    """When, by which version and by which command the page at hand was written."""
    made = collect_provenance(spec_file=None, seed=plan.seed)
    commit = made.framework_commit
    changed = ", with changes" if commit.is_dirty else ""
    yield "Written", made.started
    yield "polylens", made.versions.get("polylens", "")
    yield from packages_in(plan.experiment).items()
    yield "Commit", f"{commit.commit}{changed}" if commit.commit else f"unknown: {commit.reason}"
    yield "Command", made.command
    yield "Device", made.device


def _examples(plan: ChildPlan) -> str:
    count = f"{len(plan.examples):,}"
    return count if plan.limit is None else f"{count}, limited by --limit {plan.limit}"


def _classes(examples: Examples) -> str:
    """Every class with its number of examples; of many the first."""
    counts = np.bincount(np.asarray(examples.targets), minlength=len(examples.classes))
    shown = [f"{name} ({count:,})" for name, count in zip(examples.classes, counts, strict=True)]
    return listed(shown, most=_MOST_CLASSES)


def _positions(plan: ChildPlan, *, has_grid: bool) -> str:
    """Which positions of an example became rows."""
    sampling = plan.experiment.sampling
    if plan.takes_whole_examples:
        return "all of an example in one row"
    if not has_grid or sampling is None:
        return "one row an example: the layer has no positions"
    fields = {key: value for key, value in sampling.to_plain().items() if key != "kind" and value is not None}
    with_fields = f": {', '.join(f'{key} {value}' for key, value in fields.items())}" if fields else ""
    return f"{sampling.kind()}{with_fields}"


def _code_facts(codes: Codes) -> Iterator[tuple[str, str]]:
    scheme = codes.scheme
    layers = f"{len(scheme.layers)} layer{'s' if len(scheme.layers) > 1 else ''}"
    yield "Code", f"{scheme.units:,} units of {layers}"
    yield "Names polytopes", "yes" if scheme.names_polytopes else "no, as said above"
    yield "Units within numerical noise of a boundary", short(codes.near_boundary_fraction)
    if scheme.is_proxy:
        yield "Variance of the units' output that the hard code explains", explained_in_words(codes)
