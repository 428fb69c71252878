"""The files of a run that MLflow holds, read back: its spec, its tables, its figures, what it came from."""

from __future__ import annotations

import io
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polylens.records import Figure
from polylens.tracking.connection import translate_errors
from polylens.tracking.lookup import LoggedRun, Lookup
from polylens.tracking.names import file_name
from polylens.tracking.run import PROVENANCE

if TYPE_CHECKING:
    import pandas as pd

ORIGINS = "spec/origins.json"
"""Where each value of the resolved spec was written."""
_TABLE, _FIGURE = ".parquet", ".png"
_CAPTION = re.compile(
    r"^## (?P<title>[^\n]*)\n\n`(?P<file>[^`\n]+)`: (?P<caption>.*?)\s*(?=^## |\Z)", re.MULTILINE | re.DOTALL
)
"""One figure in `figures/captions.md`, as `TrackedRun.log_captions` writes it."""


class RunFiles:
    """What one run logged as files. Each is fetched when it is asked for.

    Every method raises a `TrackingError` where MLflow cannot be asked or does not give what it names.
    """

    def __init__(self, run: LoggedRun, lookup: Lookup) -> None:
        self.run = run
        self._lookup = lookup
        self._names: dict[str, tuple[str, ...]] = {}

    def table_names(self) -> tuple[str, ...]:
        """Names of all tables, such as `numbers` and `random_init.1/clusters.sizes`."""
        return self._below("tables", _TABLE)

    def table(self, name: str) -> pd.DataFrame | None:
        """One table whole; None where the run has none of this name."""
        import pandas as pd

        content = self.content(f"tables/{file_name(name)}{_TABLE}")
        return None if content is None else pd.read_parquet(io.BytesIO(content))

    def figure_names(self) -> tuple[str, ...]:
        """Names of all figures, such as `quality-scores`."""
        return self._below("figures", _FIGURE)

    def figure(self, name: str) -> Figure | None:
        """One figure with its title and caption; None where the run has none of this name."""
        file = f"{file_name(name)}{_FIGURE}"
        png = self.content(f"figures/{file}")
        if png is None:
            return None
        written = (self.content("figures/captions.md") or b"").decode("utf-8", "replace")
        captions = {each["file"]: each for each in _CAPTION.finditer(written)}
        said = captions.get(file)
        return Figure(name, said["title"] if said else name, said["caption"] if said else "", png)

    def resolved_spec(self) -> str | None:
        """The resolved spec as YAML; None where the run is none of a spec."""
        content = self.content("spec/resolved.yaml")
        return None if content is None else content.decode("utf-8")

    def params(self) -> Mapping[str, str]:
        """The spec's fields as MLflow shows them, dotted, with `limit` where examples were limited."""
        with translate_errors():
            return dict(self._lookup.client.get_run(self.run.run_id).data.params)

    def origins(self) -> Mapping[str, str]:
        """By dotted key of the spec, where its value was written; empty where that was not logged."""
        return self._json(ORIGINS)

    def provenance(self) -> Mapping[str, Any]:
        """What the numbers came from, as `Provenance.to_plain` gives it, with `stages`: digests by name."""
        return self._json(PROVENANCE)

    def content(self, path: str) -> bytes | None:
        """One file; None where the run has none at this path."""
        with tempfile.TemporaryDirectory(prefix="polylens-") as folder:
            file = self._lookup.file(self.run, path, into=Path(folder))
            return None if file is None else file.read_bytes()

    def _json(self, path: str) -> Mapping[str, Any]:
        content = self.content(path)
        plain: dict[str, Any] = {} if content is None else json.loads(content)
        return plain

    def _below(self, folder: str, ending: str) -> tuple[str, ...]:
        if folder not in self._names:
            with translate_errors():
                self._names[folder] = tuple(self._walk(folder))
        names = (name.removeprefix(f"{folder}/") for name in self._names[folder])
        return tuple(name.removesuffix(ending) for name in names if name.endswith(ending))

    def _walk(self, folder: str) -> Iterator[str]:
        for entry in self._lookup.client.list_artifacts(self.run.run_id, folder):
            if entry.is_dir:
                yield from self._walk(entry.path)
            else:
                yield entry.path
