"""The affine map that a network is inside one polytope.

1. One backward pass for each number of the output gives its gradient at all points of a block: a row of
   each point's matrix.
2. The offset is what the matrix leaves of the output.

Cost: one forward pass and as many backward passes as the output has numbers, for each block; memory for one
block and for all matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64

from polylens.errors import UsageError
from polylens.geometry.tape import Part, check_finite


@dataclass(frozen=True, eq=False)
class LocalMaps:
    """Around each point x the part gives `offset + matrix @ x`, flattened; exactly so inside its polytope."""

    matrices: Float64[np.ndarray, "points numbers width"]
    offsets: Float64[np.ndarray, "points numbers"]
    exact: bool
    """Whether the part is piecewise linear; otherwise the maps are first-order expansions at the points."""

    def spectra(self) -> Float64[np.ndarray, "points values"]:
        """Singular values of each matrix, largest first."""
        values: np.ndarray = np.linalg.svd(self.matrices, compute_uv=False)
        return values

    def distances(self) -> Float64[np.ndarray, "steps"]:
        """How different each map is from the next one's, as `map_distances` says."""
        return map_distances(self.matrices[:-1], self.matrices[1:])


def local_maps(part: Part, points: Float[torch.Tensor, "points ..."], *, block: int = 64) -> LocalMaps:
    """The affine map around each point.

    A point on a boundary gets the map of one of the polytopes there, or a mean of them.

    Args:
        part: of a recorded network, from the layer that the points belong to.
        points: tensors of that layer.
        block: how many points are computed together.

    Raises:
        UsageError: the points have another shape than the layer.
        DataError: the points or the outputs there hold NaN or infinity.

    >>> from polylens.geometry.recording import record
    >>> network = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.ReLU()).eval()
    >>> _ = network[0].weight.data.fill_(2.0), network[0].bias.data.fill_(-1.0)
    >>> maps = local_maps(record(network, torch.zeros(1, 1)).part(), torch.tensor([[3.0], [0.0]]))
    >>> maps.matrices.ravel().tolist(), maps.offsets.ravel().tolist()
    ([2.0, 0.0], [-1.0, 0.0])
    """
    if not len(points):
        raise UsageError("there are no points to give the maps of")
    exact = torch.stack([part.convert_point(point) for point in points])
    matrices, offsets = [], []
    for piece in torch.split(exact, block):
        with torch.enable_grad():
            free = piece.clone().requires_grad_()
            outputs = part.layouts[part.end].rows(part.forward(free))
            check_finite(outputs, what=f"'{part.through}'")
            # Rows belong to points of their own: one backward pass gives an output's gradient at all points.
            rows = [
                torch.autograd.grad(outputs[:, number].sum(), free, retain_graph=True)[0].flatten(1)
                for number in range(outputs.shape[1])
            ]
        matrix = torch.stack(rows, dim=1)
        offset = outputs.detach() - torch.einsum("pnw,pw->pn", matrix, piece.flatten(1))
        matrices.append(matrix.cpu().numpy())
        offsets.append(offset.cpu().numpy())
    return LocalMaps(np.concatenate(matrices), np.concatenate(offsets), exact=not part.obstacles)


def map_distances(
    firsts: Float64[np.ndarray, "pairs numbers width"], seconds: Float64[np.ndarray, "pairs numbers width"]
) -> Float64[np.ndarray, "pairs"]:
    """How different two linear maps are, pair by pair.

    The Frobenius norm of the difference of their matrices over the mean of their norms: 0 for equal matrices,
    at most 2; 0 where both are zero.

    >>> map_distances(np.array([[[1.0]], [[0.0]]]), np.array([[[3.0]], [[0.0]]])).tolist()
    [1.0, 0.0]
    """
    means = (np.linalg.norm(firsts, axis=(1, 2)) + np.linalg.norm(seconds, axis=(1, 2))) / 2
    apart = np.linalg.norm(firsts - seconds, axis=(1, 2))
    distances: np.ndarray = np.divide(apart, means, out=np.zeros_like(apart), where=means != 0)
    return distances


def effective_ranks(spectra: Float64[np.ndarray, "points values"]) -> Float64[np.ndarray, "points"]:
    """How many directions each map works along: e to the entropy of its singular values' shares.

    1 where one singular value is all there is, their number where all are equal, 0 for a map that is zero.

    Source: Roy and Vetterli 2007, "The effective rank: a measure of effective dimensionality".

    >>> effective_ranks(np.array([[2.0, 0.0], [3.0, 3.0], [0.0, 0.0]])).round(6).tolist()
    [1.0, 2.0, 0.0]
    """
    totals = spectra.sum(axis=1, keepdims=True)
    shares = np.divide(spectra, totals, out=np.zeros_like(spectra), where=totals != 0)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.where(totals[:, 0] > 0, np.exp(-(shares * logs).sum(axis=1)), 0.0)
