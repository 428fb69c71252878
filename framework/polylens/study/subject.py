"""What every caption of a child says: model, layer, rows, and whether the code names polytopes."""

from __future__ import annotations

from polylens.records import Rows
from polylens.study.plans import ChildPlan


def title_of(plan: ChildPlan) -> str:
    """Model and layer as the spec names them, such as `digits-mlp, layer hidden.3`."""
    return f"{plan.child.names['model']}, layer {plan.child.experiment.layer}"


def subject_of(plan: ChildPlan, rows: Rows) -> str:
    """The sentence every caption ends with."""
    what = "whole examples" if plan.whole or not rows.origins.grid else "sampled positions"
    parts = [
        title_of(plan),
        f"{len(rows):,} rows ({what} of {plan.child.names['dataset']})",
        f"seed {plan.child.experiment.seed}",
    ]
    return ", ".join(parts) + "." + code_sentence(rows)


def code_sentence(rows: Rows) -> str:
    """What the rows' code is: polytope or pathway code, and why; empty where no code was taken."""
    if rows.codes is None:
        return ""
    scheme = rows.codes.scheme
    return f" Code of {scheme.units:,} units: {scheme.reason.rstrip('.')}."
