"""Rows made by hand for the analyses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from polylens.analyses import GROUNDWORK, Analysis
from polylens.records import CodeLayer, Codes, CodeScheme, Findings, Origins, Rows
from polylens.streams import Streams
from polylens.work import Work


def _make_rows(
    activations: np.ndarray | None = None,
    *,
    bits: Mapping[str, np.ndarray] | None = None,
    targets: np.ndarray | None = None,
    example: np.ndarray | None = None,
    position: np.ndarray | None = None,
    grid: tuple[int, ...] = (),
) -> Rows:
    lengths = [len(part) for part in (activations, targets, *(bits or {}).values()) if part is not None]
    n = lengths[0]
    example = np.arange(n) if example is None else example
    codes = None
    if bits is not None:
        scheme = CodeScheme(
            tuple(CodeLayer(name, part.shape[1]) for name, part in bits.items()),
            names_polytopes=False,
            reason="made by hand",
        )
        codes = Codes(np.concatenate([np.packbits(part, axis=1) for part in bits.values()], axis=1), scheme)
    return Rows(
        layer="layer",
        origins=Origins(
            example.astype(np.int64),
            (np.zeros(n) if position is None else position).astype(np.int64),
            grid,
            tuple(f"example-{index}" for index in range(int(example.max(initial=0)) + 1)),
        ),
        activations=None if activations is None else activations.astype(np.float32),
        codes=codes,
        targets=None if targets is None else targets.astype(np.int64),
        classes=()
        if targets is None
        else tuple(f"class {k}" for k in range(int(targets.max(initial=0)) + 1)),
    )


def _find(
    analysis: Analysis, rows: Rows, upstream: Mapping[str, Findings] | None = None, seed: int = 0
) -> Findings:
    given = dict(upstream or {}) | _ground(analysis, rows, seed)
    return analysis.run(rows, Work(Streams(seed).child(analysis.kind()), given))


def _ground(analysis: Analysis, rows: Rows, seed: int) -> dict[str, Findings]:
    groundwork = analysis.groundwork()
    return {} if groundwork is None else {GROUNDWORK: _find(groundwork, rows, seed=seed)}


def _grouped(
    n_groups: int = 4, size: int = 25, *, width: int = 6, mistakes: float = 0.0, seed: int = 0
) -> Rows:
    """Groups of rows, a class a group (but for some mistakes), with codes that follow the groups."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), size)
    points = rng.normal(8.0 * np.eye(n_groups, width)[group], 0.5)
    bits = (rng.random((n_groups, 24)) < 0.5)[group] ^ (rng.random((len(group), 24)) < 0.04)
    wrong = rng.random(len(group)) < mistakes
    targets = np.where(wrong, rng.integers(0, n_groups, len(group)), group)
    return _make_rows(points, bits={"one": bits[:, :16], "two": bits[:, 16:]}, targets=targets)


@pytest.fixture
def make_rows() -> Callable[..., Rows]:
    """Rows from arrays."""
    return _make_rows


@pytest.fixture
def find() -> Callable[..., Findings]:
    """Runs an analysis as the study does."""
    return _find


@pytest.fixture
def grouped() -> Callable[..., Rows]:
    """Rows in clear groups."""
    return _grouped


@pytest.fixture
def same_findings() -> Callable[[Findings, Findings], bool]:
    """Whether two findings are equal to the last bit."""

    def compare(one: Findings, other: Findings) -> bool:
        def labels(findings: Findings) -> list[list[int]]:
            part = findings.partition
            return [] if part is None else [item.labels.tolist() for item in (part, *part.alternatives)]

        return (
            dict(one.numbers) == dict(other.numbers)
            and one.notes == other.notes
            and list(one.tables) == list(other.tables)
            and all(one.tables[name].equals(other.tables[name]) for name in one.tables)
            and labels(one) == labels(other)
        )

    return compare
