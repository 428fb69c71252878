"""The structure of a network, found by watching one forward pass, and its tensors, caught in later ones."""

from polylens.dataflow.boundary import near_boundary
from polylens.dataflow.capturing import capture
from polylens.dataflow.changing import Changing, Passed
from polylens.dataflow.editing import Change, Passes
from polylens.dataflow.flow import Flow
from polylens.dataflow.functions import GATED_FUNCTIONS, Function
from polylens.dataflow.narrowing import Attentions, ChosenTokens, Narrowed, NotNarrowError
from polylens.dataflow.nonlinearities import Nonlinearity, Selection, Site
from polylens.dataflow.norms import norms, without_biases
from polylens.dataflow.polytopes import Verdict, names_polytopes, why_soft
from polylens.dataflow.shapes import LayerShape, first_tensor, gather
from polylens.dataflow.tracing import trace
from polylens.dataflow.watch import pause_watches

__all__ = [
    "GATED_FUNCTIONS",
    "Attentions",
    "Change",
    "Changing",
    "ChosenTokens",
    "Flow",
    "Function",
    "LayerShape",
    "Narrowed",
    "Nonlinearity",
    "NotNarrowError",
    "Passed",
    "Passes",
    "Selection",
    "Site",
    "Verdict",
    "capture",
    "first_tensor",
    "gather",
    "names_polytopes",
    "near_boundary",
    "norms",
    "pause_watches",
    "trace",
    "why_soft",
    "without_biases",
]
