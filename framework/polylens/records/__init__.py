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
from polylens.records.network import (
    PADDING,
    Context,
    Examples,
    ImageFormat,
    InputFormat,
    Network,
    Shown,
    Skipped,
    TextFormat,
    TokenContext,
)
from polylens.records.rows import Origins, Rows, RowTokens

__all__ = [
    "NOISE",
    "PADDING",
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
    "InputFormat",
    "Labels",
    "Network",
    "Number",
    "Origins",
    "Partition",
    "RowTokens",
    "Rows",
    "Shown",
    "Skipped",
    "Subhierarchy",
    "TextFormat",
    "TokenContext",
    "count_clusters",
]
