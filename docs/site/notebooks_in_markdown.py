"""A notebook as a page in Markdown: its text, its code and what that printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def notebook_in_markdown(path: Path) -> str:
    """The cells of a notebook, as they are stored, with headings below that of the page they stand in.

    Raises:
        OSError: there is no such file.
    """
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return "\n\n".join(part for cell in notebook["cells"] for part in _parts(cell))


def _parts(cell: dict[str, Any]) -> Iterator[str]:
    text = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        yield re.sub(r"^#", "##", text, flags=re.MULTILINE)
        return
    yield f"```python\n{text}\n```"
    for output in cell["outputs"]:
        data: dict[str, Any] = output.get("data", {"text/plain": output.get("text", "")})
        if "image/png" in data:
            yield f"![What the cell drew](data:image/png;base64,{''.join(data['image/png'].split())})"
        else:
            yield f"```text\n{''.join(data['text/plain']).rstrip()}\n```"
