"""Which networks torchvision has and which weights it publishes, read from its source without importing it.

Importing torchvision imports torch, which takes seconds; a misspelt name is to be found at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_BUILDER = re.compile(
    r"@register_model\(\)\n"
    r"(?:@.*\n(?:[ )].*\n|\)\n)*)*"  # further decorators, on one line or several
    r"def (?P<name>\w+)\(\s*\*,\s*weights: Optional\[(?P<enum>\w+)\]"
)
_ENUM = re.compile(r"^class (?P<enum>\w+)\(WeightsEnum\):\n(?P<body>(?:(?: .*)?\n)+)", re.MULTILINE)
_MEMBER = re.compile(r"^    (\w+) = ", re.MULTILINE)


@cache
def published_weights() -> Mapping[str, tuple[str, ...]]:
    """Each classification network of the installed torchvision, and the names of its published weights.

    Empty where torchvision's source cannot be read in this way; names are then only checked when the
    network is built.

    >>> "IMAGENET1K_V1" in published_weights()["googlenet"]
    True
    """
    found = find_spec("torchvision")
    folders = [] if found is None else list(found.submodule_search_locations or [])
    builders: dict[str, str] = {}
    enums: dict[str, tuple[str, ...]] = {}
    for folder in folders:
        for path in sorted((Path(folder) / "models").glob("*.py")):
            source = path.read_text(encoding="utf-8")
            builders |= {match["name"]: match["enum"] for match in _BUILDER.finditer(source)}
            enums |= {
                match["enum"]: tuple(_MEMBER.findall(match["body"])) for match in _ENUM.finditer(source)
            }
    return {name: enums[enum] for name, enum in sorted(builders.items()) if enum in enums}
