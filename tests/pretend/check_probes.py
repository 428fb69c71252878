"""Probes give the processor's findings on another device: whatever they look into stays there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.analyses.probing import Points, probe
from tests.analyses.texts import transformer
from tests.geometry.networks import network
from tests.pretend import device
from tests.pretend.alike import assert_alike

from polylens.analyses import Probe, Probed
from polylens.plugin import kinds, load_kind
from polylens.records import (
    CodeLayer,
    Codes,
    CodeScheme,
    Findings,
    ImageFormat,
    Network,
    Origins,
    Partition,
    Rows,
)

PRODUCTS = ("mm", "addmm", "bmm", "convolution")
FEW = {"resamples": 20}
FIELDS: Mapping[str, dict[str, Any]] = {
    "cluster_effect": {"of": "clusters", "draws": 1, **FEW},
    "code_agreement": {
        "layers": ("relu",),
        "pairs": 40,
        "rows": 20,
        "neighbours": 3,
        "permutations": 20,
        **FEW,
    },
    "crossing_density": {"pairs": 10, "bins": 1, **FEW},
    "local_affine": {"points": 8, "pairs": 5, "bins": 2, **FEW},
    "local_complexity": {"points": 3, "directions": 2, "radii": (0.1,), **FEW},
    "path_density": {"pairs": 10, "bins": 1, **FEW},
    "polytope_size": {"points": 8, **FEW},
    "rescaling": {"factors": (0.5,), "draws": 1, **FEW},
    "scaling": {"factors": (0.2, 4.0), "draws": 1, "crossings": 3, **FEW},
    "slice": {"slices": 1, "through": "pool", **FEW},
}
"""Each kind of probe, small."""


def there(at: Probed) -> Probed:
    """The same with the network on the pretend device."""
    module = deepcopy(at.network.module).to(device.NAME)
    return replace(at, network=replace(at.network, module=module))


def images(n: int = 20) -> tuple[Rows, Probed]:
    """Images at the input of a network with residuals, pools and branches, their codes and their classes."""
    module, shape = network("residual", seed=4)
    module = module.float()
    inputs = torch.randn(n, *shape, generator=torch.Generator().manual_seed(0))
    targets = np.arange(n) % 2
    examples = Points(inputs, targets)
    bits = inputs.flatten(1).numpy() > 0
    scheme = CodeScheme((CodeLayer("input", bits.shape[1]),), names_polytopes=False, reason="made by hand")
    rows = Rows(
        layer="input",
        origins=Origins(np.arange(n), np.zeros(n, np.int64), (), examples.ids),
        activations=inputs.flatten(1).numpy(),
        codes=Codes(np.packbits(bits, axis=1), scheme),
        targets=targets,
        classes=examples.classes,
    )
    about = Network("small", module, ImageFormat(channels=2), example_input=inputs[:1])
    return rows, Probed(about, examples, "input")


def groups(rows: Rows) -> dict[str, Findings]:
    """Two clusters that are no classes."""
    labels = np.arange(len(rows)) // (len(rows) // 2)
    partition = Partition(labels, np.ones(len(rows), np.float32), np.array([0, len(rows) - 1]))
    return {"clusters": Findings(partition=partition)}


def test_every_probe_is_here() -> None:
    probes = {kind for kind in kinds("analyses") if issubclass(load_kind("analyses", kind), Probe)}
    assert probes == set(FIELDS)


@pytest.mark.parametrize("kind", FIELDS)
def test_a_probe_finds_there_what_it_finds_on_the_processor(kind: str, pretend: Counter[str]) -> None:
    rows, at = images()
    analysis = load_kind("analyses", kind).model_validate({"kind": kind, **FIELDS[kind]})
    assert isinstance(analysis, Probe)
    upstream = groups(rows) if kind == "cluster_effect" else {}
    expected = probe(analysis, rows, at, upstream=upstream)
    assert not pretend
    found = probe(analysis, rows, there(at), upstream=upstream)
    assert_alike(found, expected)
    assert sum(pretend[name] for name in PRODUCTS) >= 5


def test_one_position_is_scaled_there(pretend: Counter[str]) -> None:
    _, at = images(4)
    at = replace(at, layer="relu")
    origins = Origins(
        np.array([0, 0, 2, 3]), np.array([10, 24, 24, 30]), (7, 7), tuple(f"example-{k}" for k in range(4))
    )
    analysis = load_kind("analyses", "scaling").model_validate({"kind": "scaling", **FIELDS["scaling"]})
    rows = Rows("relu", origins)
    expected, found = (probe(analysis, rows, each) for each in (at, there(at)))
    assert "crossings" in expected.tables
    assert_alike(found, expected)


def test_tokens_are_changed_there(pretend: Counter[str]) -> None:
    rows, at = transformer("gpt2")
    analysis = load_kind("analyses", "cluster_effect").model_validate(
        {"kind": "cluster_effect", **FIELDS["cluster_effect"]}
    )
    expected, found = (probe(analysis, rows, each, upstream=groups(rows)) for each in (at, there(at)))
    assert_alike(found, expected)
