"""What every analysis promises: all randomness is the seed's, and what it is handed stays as it was."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pytest
import torch
from tests.analyses.probing import dense, probe, probed

from polylens.analyses import Analysis, Probe, Probed
from polylens.catalog.starting import example
from polylens.plugin import kinds, load_kind
from polylens.records import Findings, Rows, RowTokens

# Smaller than the defaults, where a kind has the key.
LITTLE = {
    **{"resamples": 20, "subsamples": 2, "pairs": 20, "restarts": 2, "clusters": 2, "permutations": 200},
    **{"rows": 20, "points": 6, "draws": 20, "bins": 4, "steps": 5, "directions": 4, "frames": 2, "side": 16},
}
KEYS: dict[str, dict[str, Any]] = {
    "directions": {"families": ("pca", "nmf")},
    "partition_agreement": {"of": ("clusters", "others")},
    "hdbscan": {"on": "activation"},
    "spanning_tree": {"on": "activation", "metric": "euclidean", "min_samples": 5},
}


def little(kind: str) -> Analysis:
    """The kind with as little to do as its keys allow."""
    cls = load_kind("analyses", kind)
    keys = {name: example(field) for name, field in cls.model_fields.items() if field.is_required()}
    if "of" in keys:
        keys["of"] = "clusters"
    keys |= {name: value for name, value in LITTLE.items() if name in cls.model_fields}
    made = cls.model_validate(keys | KEYS.get(kind, {}))
    assert isinstance(made, Analysis)
    return made


def frozen(value: Any) -> None:
    """Makes every array in records read-only, so that writing to one raises."""
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            frozen(getattr(value, field.name))
    elif isinstance(value, (tuple, list)):
        for each in value:
            frozen(each)
    elif isinstance(value, dict):
        for each in value.values():
            frozen(each)


def disturbed(number: int) -> None:
    """Sets every global generator to another state."""
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002  (what an analysis must not draw from)
    torch.manual_seed(number)


def tokens(rows: Rows) -> Rows:
    """The rows with tokens that follow their classes, and positions of their examples."""
    assert rows.targets is not None
    current = rows.targets.astype(np.int64)
    around = np.roll(current, 1)
    vocabulary = tuple(f" w{number}" for number in range(int(current.max()) + 1))
    return replace(rows, tokens=RowTokens(vocabulary, current, around, np.roll(current, -1)))


@pytest.fixture
def tried(
    find: Callable[..., Findings], grouped: Callable[..., Rows], same_findings: Callable[..., bool]
) -> Callable[[str], Findings]:
    """Tries a kind twice under one seed, global generators apart, on arrays that cannot be written."""

    def run(kind: str) -> Findings:
        analysis = little(kind)
        rows = tokens(grouped(3, 20, mistakes=0.1))
        upstream = {
            "clusters": find(little("kmeans"), rows),
            "others": find(little("bisecting_kmeans"), rows),
        }
        module = dense(6, 8, 8, 3)
        assert rows.activations is not None
        assert rows.targets is not None
        whole, at = probed(module, torch.from_numpy(rows.activations.copy()), rows.targets)
        if analysis.needs() >= {"codes"}:
            whole = replace(whole, codes=rows.codes)
        weights = {name: value.clone() for name, value in module.state_dict().items()}
        frozen((rows, whole, upstream))

        def once(number: int) -> Findings:
            disturbed(number)
            if isinstance(analysis, Probe):
                return probe(
                    analysis, whole, Probed(at.network, at.examples, at.layer, whole), upstream=upstream
                )
            return find(analysis, rows, upstream)

        first, second = once(1), once(2)
        assert same_findings(first, second)
        assert all(torch.equal(value, weights[name]) for name, value in module.state_dict().items())
        return first

    return run


def unnamed(kind: str, findings: Findings) -> list[str]:
    """Numbers that the kind gives and does not say that it gives; none where it says nothing."""
    cls = load_kind("analyses", kind)
    assert issubclass(cls, Analysis)
    said = cls.numbers
    given = (*findings.numbers, *findings.undefined)
    return [name for name in given if said and not any(fnmatchcase(name, each) for each in said)]


@pytest.mark.parametrize("kind", kinds("analyses"))
def test_the_same_seed_gives_the_same_findings_and_nothing_handed_over_is_changed(
    kind: str, tried: Callable[[str], Findings]
) -> None:
    findings = tried(kind)
    assert findings.numbers or findings.partition or findings.hierarchy or findings.tables
    assert not unnamed(kind, findings), "refuted_if names numbers before anything is computed"
