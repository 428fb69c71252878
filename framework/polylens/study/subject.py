"""What every caption of a child says: model, layer, rows, and whether the code names polytopes."""

from __future__ import annotations

from collections.abc import Sequence

from polylens.records import Codes, Rows
from polylens.study.plans import ChildPlan
from polylens.wording import short


def title_of(plan: ChildPlan) -> str:
    """Model and layer as the spec names them, such as `digits-mlp, layer hidden.3`."""
    return f"{plan.names['model']}, layer {plan.experiment.layer}"


def subject_of(plan: ChildPlan, rows: Rows, *, seeds: Sequence[int] = ()) -> str:
    """The sentence every caption ends with; of several runs it names the seeds of all."""
    of = seeds or (plan.seed,)
    what = "whole examples" if plan.takes_whole_examples or not rows.origins.grid else "sampled positions"
    parts = [
        title_of(plan),
        f"{len(rows):,} rows ({what} of {plan.names['dataset']})",
        f"seed{'s' * (len(of) > 1)} {', '.join(map(str, of))}",
    ]
    return ", ".join(parts) + "." + code_sentence(rows)


def code_sentence(rows: Rows) -> str:
    """What the rows' code is: polytope or pathway code, and why; empty where no code was taken."""
    if rows.codes is None:
        return ""
    scheme = rows.codes.scheme
    return f" Code of {scheme.units:,} units: {scheme.reason.rstrip('.')}.{_proxy_sentence(rows.codes)}"


def _proxy_sentence(codes: Codes) -> str:
    """How good a proxy the hard code is; empty where units are piecewise linear and nothing is a proxy."""
    if not codes.scheme.is_proxy:
        return ""
    near = f"{short(codes.near_boundary_fraction)} of the units are within numerical noise of a boundary"
    if codes.explained is None:
        return f" No hard form of these units is near their output; {near}."
    explained = explained_in_words(codes)
    return f" Of the variance of the units' output the hard code explains {explained}; {near}."


def explained_in_words(codes: Codes) -> str:
    """How much of the units' output the hard code explains, and which output that is."""
    explained = codes.explained
    if explained is None:
        return "not defined: no hard form of these units is near their output"
    gated = ", of gates times what they multiply" if explained.products else ""
    less = ", which is less than the units' means would" if explained.variance < 0 else ""
    of_median = f"{short(explained.median_unit_variance)} of the median unit's{gated}"
    return f"{short(explained.variance)} ({of_median}){less}"
