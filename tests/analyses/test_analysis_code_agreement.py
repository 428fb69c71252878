from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.analyses.probing import dense, probe, probed
from torch import nn

from polylens.analyses import Outcome, Probed
from polylens.analyses.code_agreement import CodeAgreement
from polylens.errors import DataError, UsageError
from polylens.records import CodeLayer, Codes, CodeScheme, Rows

SMALL = {"pairs": 300, "rows": 40, "neighbours": 4, "permutations": 20, "resamples": 20}


def _with_codes(rows: Rows, net: nn.Module, inputs: torch.Tensor) -> Rows:
    """The rows with the signs of the network's first hidden layer."""
    bits = (net[0](inputs) > 0).numpy()
    scheme = CodeScheme((CodeLayer("1", bits.shape[1]),), names_polytopes=True, reason="made by hand")
    return replace(rows, codes=Codes(np.packbits(bits, axis=1), scheme))


def _points(n: int = 40) -> torch.Tensor:
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(0))


def test_layers_of_one_network_are_read_by_a_pass_of_its_own() -> None:
    net, inputs = dense(3, 16, 16, 2), _points()
    rows, at = probed(net, inputs)
    found = probe(CodeAgreement(layers=("1", "3"), **SMALL), _with_codes(rows, net, inputs), at)
    # The spec's code is that of layer 1: read again it is the same.
    assert found.numbers["correlation.1"].value == pytest.approx(1.0)
    assert 0.2 < found.numbers["correlation.3"].value < 1.0
    assert found.numbers["overlap.3"].value > found.numbers["overlap.3"].chance
    assert found.numbers["correlation_with_inputs"].value > 0.5
    # A network agrees with itself, but for the order of rows that are equally near.
    assert found.numbers["correlation"].value == pytest.approx(1.0)
    assert 0.7 < found.numbers["overlap"].value <= 1.0
    table = found.tables["layers"]
    assert list(zip(table["first"], table["second"], strict=True)) == [
        ("code", "1"),
        ("code", "3"),
        ("1", "3"),
    ]
    assert table["correlation"][2] == pytest.approx(table["correlation"][1])


def test_a_control_is_compared_with_the_networks_own_rows() -> None:
    inputs = _points()
    one, other = dense(3, 16, 2), dense(3, 16, 2, seed=1)
    rows, at = probed(one, inputs, np.arange(40) % 3)
    own = _with_codes(rows, one, inputs)
    itself = probe(CodeAgreement(**SMALL), own, replace(at, own=own)).numbers
    assert itself["correlation"].value == pytest.approx(1.0)
    assert itself["overlap"].value > 0.7  # ties fall by chance in each
    found = probe(CodeAgreement(**SMALL), _with_codes(rows, other, inputs), replace(at, own=own)).numbers
    assert 0.3 < found["correlation"].value < 1.0
    # Two random layers agree on little but what they look at.
    assert abs(found["correlation_beyond_inputs"].value) < found["correlation"].value
    assert found["halves_correlation"].value > 0.3
    assert 0.3 < found["correlation_within_classes"].value < 1.0


def test_units_at_the_rows_own_position_are_read() -> None:
    net = nn.Sequential(nn.Conv2d(1, 6, 1), nn.ReLU(), nn.Conv2d(6, 6, 1), nn.ReLU()).eval()
    inputs = torch.randn(12, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    rows, at = probed(net, inputs)
    origins = replace(
        rows.origins,
        example=np.repeat(np.arange(12), 2),
        position=np.tile([0, 5], 12),
        grid=(3, 3),
    )
    with torch.no_grad():
        hidden = net[0](inputs).flatten(2)[:, :, [0, 5]].permute(0, 2, 1).flatten(0, 1)
    scheme = CodeScheme((CodeLayer("1", 6),), names_polytopes=False, reason="made by hand")
    codes = Codes(np.packbits((hidden > 0).numpy(), axis=1), scheme)
    rows = replace(rows, origins=origins, activations=None, codes=codes)
    found = probe(CodeAgreement(layers=("1",), **SMALL), rows, at)
    assert found.numbers["correlation.1"].value == pytest.approx(1.0)
    assert "correlation_with_inputs" not in found.numbers


def test_layers_that_cannot_be_compared_are_refused_in_words() -> None:
    net, inputs = dense(3, 8, 2), _points()
    rows, at = probed(net, inputs)
    rows = _with_codes(rows, net, inputs)
    with pytest.raises(UsageError, match="no layer 'hidden'"):
        probe(CodeAgreement(layers=("hidden",), **SMALL), rows, at)
    with pytest.raises(DataError, match="no units of its own"):
        probe(CodeAgreement(layers=("2",), **SMALL), rows, at)
    with pytest.raises(DataError, match="needs codes"):
        probe(CodeAgreement(**SMALL), replace(rows, codes=None), at)
    with pytest.raises(DataError, match="three examples"):
        probe(CodeAgreement(**SMALL), rows.take(np.arange(2)), at)


def test_agreement_is_drawn_beside_controls() -> None:
    inputs = _points(24)
    net = dense(3, 8, 8, 2)
    rows, at = probed(net, inputs)
    rows = _with_codes(rows, net, inputs)
    analysis = CodeAgreement(layers=("3",), **SMALL)
    own = Outcome(rows, probe(analysis, rows, at), {})
    control = Outcome(rows, probe(analysis, rows, Probed(at.network, at.examples, "input", rows)), {})
    figures = analysis.draw({"network": (own,), "second_seed": (control,)}, subject="x")
    assert [figure.name for figure in figures] == ["networks", "layers-correlation", "layers-overlap"]
    alone = CodeAgreement(**SMALL)
    single = Outcome(rows, probe(alone, rows, at), {})
    assert [figure.name for figure in alone.draw({"network": (single,)}, subject="x")] == ["networks"]
