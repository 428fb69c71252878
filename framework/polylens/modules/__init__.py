"""PyTorch modules as things: copied, named by all that they hold, known by what they do, drawn anew."""

from polylens.modules.behaviour import Behaviour, behaviour_of
from polylens.modules.contents import contents_digest
from polylens.modules.copying import copied, plain_attributes, unregistered
from polylens.modules.drawing import draw_anew
from polylens.modules.parametrised import made_plain
from polylens.modules.randomness import with_seed

__all__ = [
    "Behaviour",
    "behaviour_of",
    "contents_digest",
    "copied",
    "draw_anew",
    "made_plain",
    "plain_attributes",
    "unregistered",
    "with_seed",
]
