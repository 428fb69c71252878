"""Curves over the factor of a change, read from its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float64

from polylens.analyses import Outcome
from polylens.figures import FactorCurve


def curves_of(tables: Sequence[pd.DataFrame], *, measure: str) -> tuple[FactorCurve, FactorCurve] | None:
    """The curves of scaling and of displacement, all later layers together; None where not measured."""
    curves = []
    for change in ("scaled", "displaced"):
        parts = [
            table[(table["measure"] == measure) & (table["layer"] == "") & (table["change"] == change)]
            for table in tables
        ]
        means = pd.concat(parts).groupby("factor")[["value", "low", "high"]].mean()
        if not len(means):
            return None
        several = len(tables) > 1
        curves.append(
            FactorCurve(
                means.index.to_numpy(dtype=np.float64),
                means["value"].to_numpy(),
                None if several else means["low"].to_numpy(),
                None if several else means["high"].to_numpy(),
            )
        )
    return curves[0], curves[1]


def layer_shares(
    table: pd.DataFrame,
) -> tuple[list[str], list[str], Mapping[str, Float64[np.ndarray, "layers factors"]]]:
    """Layers, factors as words, and the share of units that flip by each change."""
    flips = table[(table["measure"] == "flipped_share") & (table["layer"] != "")]
    layers = list(dict.fromkeys(flips["layer"]))
    factors = sorted(set(flips["factor"]))
    shares = {
        change: flips[flips["change"] == change]
        .pivot_table(index="layer", columns="factor", values="value", dropna=False)
        .reindex(index=layers, columns=factors)
        .to_numpy(dtype=np.float64)
        for change in dict.fromkeys(flips["change"])
    }
    return layers, [f"x {factor:g}" for factor in factors], shares


def notes_of(outcome: Outcome) -> str:
    """What a reader of the curves must know."""
    return " ".join(outcome.findings.notes)
