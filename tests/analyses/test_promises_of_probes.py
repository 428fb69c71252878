"""What keys of the analyses that look into a network promise, over combinations of their siblings."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.analyses.probing import dense, probe, probed

from polylens.analyses.local_affine import LocalAffine
from polylens.analyses.local_complexity import LocalComplexity
from polylens.analyses.path_density import PathDensity
from polylens.analyses.scaling import Scaling
from polylens.analyses.token_baselines.findings import position_parts
from polylens.geometry import local_maps, map_distances, segments_crossings
from polylens.plugin import load_kind
from polylens.records import Findings

WIDTH = 4


def points(n: int = 18) -> tuple[torch.Tensor, np.ndarray]:
    """Points of three classes."""
    return torch.randn(n, WIDTH, generator=torch.Generator().manual_seed(0)), np.arange(n) % 3


def found(kind: type[Any], **keys: Any) -> Findings:
    """What a kind finds of a small network."""
    rows, at = probed(dense(WIDTH, 6, 5, 3), *points())
    return probe(kind.model_validate({"resamples": 20, **keys}), rows, at)


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("scaling", "factors", 2.5),
        ("scaling", "layers", "hidden"),
        ("rescaling", "factors", 0.5),
        ("local_complexity", "radii", 0.1),
        ("hdbscan", "curve", 5),
        ("directions", "families", "pca"),
        ("code_agreement", "layers", "hidden"),
    ],
)
def test_what_is_looked_at_one_by_one_stands_in_a_list_once(kind: str, key: str, value: object) -> None:
    cls = load_kind("analyses", kind)
    others = {"of": "clusters"} if "of" in cls.model_fields else {}
    with pytest.raises(ValidationError, match=f"'{value}' stands twice"):
        cls.model_validate({**others, key: (value, value)})
    assert cls.model_json_schema()["properties"][key]["uniqueItems"] is True


def test_numbers_that_tables_would_call_by_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"2\.0 and 2\.00000001 are both called '2'"):
        Scaling(factors=(2.0, 3.0, 2.00000001))


@pytest.mark.parametrize(
    ("near", "around", "pieces", "route"),
    list(itertools.product((0.05, 0.5), (1, 3), (2, 7), ("straight", "spherical"))),
)
def test_paths_are_cut_into_as_many_pieces_as_are_asked_for(
    near: float, around: int, pieces: int, route: str
) -> None:
    keys = {"pairs": 12, "bins": 1, "near": near, "around": around, "path": route, "chords": 3}
    tables = found(PathDensity, **keys, pieces=pieces).tables
    for _, piece in tables["around_switches"].groupby(["kind", "layer"]):
        expected = near * np.arange(-around, around + 1)
        np.testing.assert_allclose(piece["offset"], expected, rtol=0, atol=1e-12)
    whole = found(PathDensity, **keys, pieces=2 * pieces).tables["along_paths"]
    for name, piece in tables["along_paths"].groupby(["kind", "layer"]):
        np.testing.assert_allclose(piece["position"], (np.arange(pieces) + 0.5) / pieces, rtol=0, atol=1e-12)
        finer = whole[(whole["kind"] == name[0]) & (whole["layer"] == name[1])]
        # Two halves of a piece hold what the piece holds. Sums of a dozen terms, each rounded once.
        halves = finer["density"].to_numpy().reshape(-1, 2).mean(axis=1)
        np.testing.assert_allclose(piece["density"], halves, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("radii_in", ["space", "neighbours"])
@pytest.mark.parametrize("directions", [1, 3, 50])
def test_neighbourhoods_have_the_radii_and_directions_asked_for(directions: int, radii_in: str) -> None:
    radii = (0.3, 0.01, 2.0)
    keys = {"points": 6, "directions": directions, "radii_in": radii_in}
    one = found(LocalComplexity, **keys, radii=radii)
    table = one.tables["points"]
    assert tuple(table["radius"].unique()) == radii
    assert (table["sampled"] <= table["met"]).all()
    rising = table.sort_values("radius").groupby(["at", "example", "layer"])
    examples = rising.filter(lambda part: part["at"].iloc[0] == "example")
    for _, part in examples.groupby(["example", "layer"]):
        assert part["met"].is_monotonic_increasing, "a wider neighbourhood holds the narrower one"
    said = [note for note in one.notes if "so many directions were taken" in note]
    assert len(said) == (directions > WIDTH)
    # Which radius is first decides names and no number.
    other = found(LocalComplexity, **keys, radii=radii[::-1])
    for column in ("sampled", "met"):
        assert one.numbers[column].value == other.numbers[f"{column}.r0.3"].value
        assert one.numbers[f"{column}.r2"].value == other.numbers[column].value


@pytest.mark.parametrize("bins", [1, 4])
@pytest.mark.parametrize("steps", [1, 3, 1000])
def test_maps_are_compared_across_as_many_boundaries_as_asked_for(steps: int, bins: int) -> None:
    module = dense(WIDTH, 6, 5, 3)
    inputs, targets = points()
    rows, at = probed(module, inputs, targets)
    keys = {"points": 18, "pairs": 8, "steps": steps, "bins": bins, "resamples": 20}
    table = probe(LocalAffine.model_validate(keys), rows, at).tables["pairs"]
    index = {name: number for number, name in enumerate(at.examples.ids)}
    starts, ends = (inputs[[index[name] for name in table[side]]] for side in ("left", "right"))
    from polylens.analyses import _probing as probing

    part = probing.record_part(at, through="output")
    for line, met in enumerate(segments_crossings(part, starts, ends)):
        cells = len(met.midpoints)
        if cells < 2:
            continue
        places = torch.from_numpy(met.midpoints).float()[:, None]
        maps = local_maps(part, starts[line] + (ends[line] - starts[line]) * places, block=64).matrices
        jumps = map_distances(maps[:-1], maps[1:])
        if steps >= cells - 1:
            assert table["steps"][line] == pytest.approx(jumps.mean(), rel=1e-9)
        else:
            sums = {round(sum(some) / steps, 9) for some in itertools.combinations(jumps.tolist(), steps)}
            assert any(abs(table["steps"][line] - value) < 1e-6 for value in sums)


@given(
    at=st.lists(st.integers(0, 40), max_size=60).map(lambda each: np.array(each, dtype=np.int64)),
    bins=st.integers(2, 12),
)
def test_positions_are_cut_into_rising_parts_and_none_is_in_two(at: np.ndarray, bins: int) -> None:
    parts = position_parts(at, bins=bins)
    order = np.argsort(at, kind="stable")
    assert (np.diff(parts[order]) >= 0).all()
    assert all(len(np.unique(parts[at == place])) == 1 for place in np.unique(at))
    assert len(np.unique(parts)) <= bins


@given(share=st.integers(3, 20), more=st.integers(0, 11), bins=st.integers(2, 12))
def test_rows_that_all_stand_at_other_positions_are_dealt_evenly(share: int, more: int, bins: int) -> None:
    n = share * bins + more
    counts = np.bincount(position_parts(np.random.default_rng(n).permutation(n), bins=bins))
    assert len(counts) == bins
    assert counts.max() - counts.min() <= 2, "an edge between two rows leaves one to either side"
