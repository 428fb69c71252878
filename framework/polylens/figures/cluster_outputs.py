"""Clusters by what the network says of their members."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from polylens.figures.heat import ROW, draw_heat, head_height, in_cells
from polylens.figures.style import canvas, picture, sentence
from polylens.figures.words import fit_line


@picture
def cluster_outputs(
    above: Float[np.ndarray, "clusters columns"],
    *,
    texts: Sequence[Sequence[str]] | None,
    clusters: Sequence[str],
    columns: Sequence[str],
) -> Figure:
    """How far the mean logits of each cluster are above those of all: what is below is left white.

    Args:
        above: of each cluster and output, or of each cluster's highest outputs.
        texts: what each cell stands for; left out, the numbers themselves stand in the cells.
        clusters: names, in the order of `above`.
        columns: names.
    """
    heading = "Mean logits of the clusters, above the mean of all clusters"
    if not np.isfinite(above).any():
        return sentence(heading, "No cluster was looked at.")
    if texts is None:
        note = "Numbers are logits; negative ones have no colour."
        texts = in_cells(above)
    else:
        note = "Each line names the outputs whose mean logit is the most above that of all clusters."
        texts = [[_show_spaces(text) for text in row] for row in texts]
    height = ROW * len(clusters)
    figure = canvas(heading, note=note, height=height + head_height(clusters, columns))
    draw_heat(
        figure.add_subplot(),
        values=np.maximum(above, 0.0),
        texts=texts,
        row_names=clusters,
        column_names=columns,
        high=float(np.nanmax(above)),
        height=height,
    )
    return figure


def _show_spaces(text: str) -> str:
    """A token with its spaces made visible, cut to the width of a cell."""
    return fit_line(text.replace(" ", "\N{OPEN BOX}").replace("\n", "\\n"), width=0.95, size=9.0)
