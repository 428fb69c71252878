"""Frozen data that floors hand to each other, without torch."""

from polylens.records.codes import CodeLayer, Codes, CodeScheme
from polylens.records.findings import (
    NOISE,
    Alternative,
    ClusterLabel,
    Figure,
    Findings,
    Hierarchy,
    Labels,
    Number,
    Partition,
    Subhierarchy,
    count_clusters,
)
from polylens.records.network import Context, Examples, ImageFormat, Network, Skipped
from polylens.records.rows import Origins, Rows

__all__ = [
    "NOISE",
    "Alternative",
    "ClusterLabel",
    "CodeLayer",
    "CodeScheme",
    "Codes",
    "Context",
    "Examples",
    "Figure",
    "Findings",
    "Hierarchy",
    "ImageFormat",
    "Labels",
    "Network",
    "Number",
    "Origins",
    "Partition",
    "Rows",
    "Skipped",
    "Subhierarchy",
    "count_clusters",
]
