"""PyTorch modules as things: copied, named by all that they hold, known by what they do, drawn anew."""

from polylens.modules.behaviour import Behaviour, behaviour_of
from polylens.modules.contents import contents_digest
from polylens.modules.copying import copy_module, plain_attributes, unregistered_tensors
from polylens.modules.drawing import draw_anew
from polylens.modules.parametrised import make_plain
from polylens.modules.randomness import with_seed
from polylens.modules.reach import check_changed, check_reach, outside_parameters

__all__ = [
    "Behaviour",
    "behaviour_of",
    "check_changed",
    "check_reach",
    "contents_digest",
    "copy_module",
    "draw_anew",
    "make_plain",
    "outside_parameters",
    "plain_attributes",
    "unregistered_tensors",
    "with_seed",
]
