"""The affine map that a network is inside one polytope."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64

from polylens.errors import UsageError
from polylens.geometry.tape import Part


@dataclass(frozen=True, eq=False)
class LocalMaps:
    """Around each point x the part gives `offset + matrix @ x`, flattened; exactly so inside its polytope."""

    matrices: Float64[np.ndarray, "points numbers width"]
    offsets: Float64[np.ndarray, "points numbers"]
    exact: bool
    """Whether the part is piecewise linear; otherwise the maps are first-order expansions at the points."""

    def spectra(self) -> Float64[np.ndarray, "points values"]:
        """Singular values of each matrix, largest first."""
        found: np.ndarray = np.linalg.svd(self.matrices, compute_uv=False)
        return found

    def distances(self) -> Float64[np.ndarray, "steps"]:
        """How different each map is from the next one's.

        The Frobenius norm of the difference of their matrices over the mean of their norms: 0 for equal
        matrices, at most 2; 0 where both are zero.
        """
        norms = np.linalg.norm(self.matrices, axis=(1, 2))
        apart = np.linalg.norm(np.diff(self.matrices, axis=0), axis=(1, 2))
        means = (norms[1:] + norms[:-1]) / 2
        found: np.ndarray = np.divide(apart, means, out=np.zeros_like(apart), where=means > 0)
        return found


def local_maps(part: Part, points: Float[torch.Tensor, "points ..."], *, block: int = 64) -> LocalMaps:
    """The affine map around each point.

    A point on a boundary gets the map of one of the polytopes there, or a mean of them.

    Args:
        part: of a recorded network, from the layer that the points belong to.
        points: tensors of that layer.
        block: how many rows of a Jacobian are computed together.

    Raises:
        UsageError: the points have another shape than the layer.

    >>> from polylens.geometry.recording import record
    >>> network = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.ReLU()).eval()
    >>> _ = network[0].weight.data.fill_(2.0), network[0].bias.data.fill_(-1.0)
    >>> maps = local_maps(record(network, torch.zeros(1, 1)).part(), torch.tensor([[3.0], [0.0]]))
    >>> maps.matrices.ravel().tolist(), maps.offsets.ravel().tolist()
    ([2.0, 0.0], [-1.0, 0.0])
    """
    if not len(points):
        raise UsageError("there are no points to give the maps of")
    layout = part.layouts[part.end]
    matrices, offsets = [], []
    for point in points:
        exact = part.prepared(point).reshape(-1)

        def flat(x: torch.Tensor) -> torch.Tensor:
            return layout.rows(part.forward(x.reshape(1, *part.shape)))[0]

        output = flat(exact)
        matrix = torch.func.jacrev(flat, chunk_size=block)(exact)
        matrices.append(matrix.cpu().numpy())
        offsets.append((output - matrix @ exact).cpu().numpy())
    return LocalMaps(np.stack(matrices), np.stack(offsets), exact=not part.obstacles)
