"""From plain data back to YAML that reads to the same values, here and in YAML 1.1 readers."""

from __future__ import annotations

import re
from typing import Any

import yaml

from polylens.reading.document import Plain
from polylens.reading.scalars import DECIMAL, FLOAT, HEXADECIMAL, OCTAL


class _Dumper(yaml.SafeDumper):
    """Quotes what either version of YAML would not read as a text, and never writes aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent(self, data: Any) -> None:
        """Writes the outermost map key by key, however short it is."""
        node = self.represent_data(data)
        if isinstance(node, yaml.CollectionNode):
            node.flow_style = False
        self.serialize(node)

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        """Leaves the key `on` as people write it: it is no value that a reader could take for a boolean."""
        node = super().represent_mapping(tag, mapping, flow_style)
        for key, _ in node.value:
            if key.value == "on":
                key.tag = "tag:yaml.org,2002:bool"
        return node


for _tag, _patterns in (("int", (DECIMAL, OCTAL, HEXADECIMAL)), ("float", (FLOAT,))):
    for _pattern in _patterns:
        _Dumper.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern.pattern})$"), list("-+.0123456789")
        )


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # The exotic line breaks are kept only between double quotes.
    style = '"' if re.search("[\x85\u2028\u2029\ufeff]", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def write(plain: Plain) -> str:
    r"""Plain data as YAML, maps in their order, short maps and lists on one line.

    Raises:
        TypeError: something in it is not plain data.

    >>> print(write({"seed": 0, "layer": ["1e-4", "no"], "sampling": {"count": 6}}), end="")
    seed: 0
    layer: ['1e-4', 'no']
    sampling: {count: 6}
    """
    try:
        text = yaml.dump(
            plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
        )
    except yaml.representer.RepresenterError as error:
        raise TypeError(f"{type(error.args[-1]).__name__} is not plain data") from None
    return str(text)
