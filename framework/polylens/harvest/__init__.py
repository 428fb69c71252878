"""Harvest: one forward pass over the examples, from which rows of layers and codes go to the store."""

from polylens.harvest.harvesting import Harvested, harvest
from polylens.harvest.rows import load_rows, load_skipped
from polylens.harvest.take import Take

__all__ = ["Harvested", "Take", "harvest", "load_rows", "load_skipped"]
