"""The regime of every unit at given points, by a plain forward pass.

The tape is run step by step. Before each nonlinearity its regimes are read off what it is about to read, by
the rule of the walks (`flips.above`, `windows.window_winners`), so that both tell one code of one point.

Cost: one forward pass; memory for the regimes and for the values that are still needed.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int16, Int64

from polylens.dataflow.operations import canonical
from polylens.dataflow.regimes import pre_activation
from polylens.geometry.flips import above
from polylens.geometry.tape import Part
from polylens.geometry.windows import window_winners


def regimes(
    part: Part, points: Float[torch.Tensor, "points ..."]
) -> tuple[list[Int64[np.ndarray, "points units"]], torch.Tensor]:
    """Each nonlinearity's regimes at these tensors of the part's layer, and the part's output there."""
    codes, outputs = small_regimes(part, points)
    return [code.to(torch.int64).cpu().numpy() for code in codes], outputs


def small_regimes(
    part: Part, points: Float[torch.Tensor, "points ..."]
) -> tuple[list[Int16[torch.Tensor, "points units"]], torch.Tensor]:
    """Each nonlinearity's regimes at these tensors of the part's layer, and the part's output there.

    Regimes are 16-bit tensors on the part's device, a quarter of what `regimes` takes.
    """
    codes: list[torch.Tensor] = []
    values = {part.start: part.lay_out(points)}
    with torch.no_grad():
        for index, step in enumerate(part.steps):
            item = step.nonlinearity
            if item is not None and item.role == "pool":
                step.check_finite(values[min(step.reads)])
                codes.append(window_winners(step, values, len(points)).to(torch.int16))
            elif item is not None:
                read = pre_activation(canonical(step.function), step.arguments(values, len(points)))
                rows = part.layouts[min(step.reads)].rows(read)
                step.check_finite(rows)
                # A regime is the number of kinks that the unit is above.
                code = above(rows, item.kinks[0]).to(torch.int16)
                for kink in item.kinks[1:]:
                    code += above(rows, kink)
                codes.append(code)
            values.update(step.run(values, len(points)))
            for value in step.reads:
                if part.last_use[value] == index:
                    del values[value]
    return codes, part.layouts[part.end].rows(values[part.end])
