"""Jobs: what a harvest's worker processes have to do, as plain data that they can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polylens.devices import Options
from polylens.errors import UsageError
from polylens.harvest.shard import Shard
from polylens.harvest.take import Take
from polylens.plugin import kinds
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.assembly import Recipe


@dataclass(frozen=True)
class Job:
    """The missing shards of some takes of one network."""

    recipe: Recipe
    takes: tuple[Take, ...]
    missing: Mapping[str, frozenset[Shard]]
    """The shards each take lacks, by digest."""
    folders: Mapping[str, Path]
    """Where each take's shards go, by digest."""
    streams: Streams
    store: Path
    root: Path
    options: Options

    def to_plain(self) -> dict[str, Any]:
        """Plain data that `from_plain` reads again."""
        return {
            "recipe": self.recipe.to_plain(),
            "takes": [take.to_plain() for take in self.takes],
            "missing": {
                digest: sorted((shard.start, shard.stop) for shard in shards)
                for digest, shards in self.missing.items()
            },
            "folders": {digest: str(folder) for digest, folder in self.folders.items()},
            "streams": {"seed": self.streams.seed, "path": list(self.streams.path)},
            "store": str(self.store),
            "root": str(self.root.absolute()),
            "options": asdict(self.options),
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Job:
        """The job that `to_plain` wrote."""
        from polylens.assembly import Recipe

        return cls(
            recipe=Recipe.from_plain(plain["recipe"]),
            takes=tuple(Take.from_plain(take) for take in plain["takes"]),
            missing={
                digest: frozenset(Shard(start, stop) for start, stop in shards)
                for digest, shards in plain["missing"].items()
            },
            folders={digest: Path(folder) for digest, folder in plain["folders"].items()},
            streams=Streams(plain["streams"]["seed"], tuple(plain["streams"]["path"])),
            store=Path(plain["store"]),
            root=Path(plain["root"]),
            options=Options(**plain["options"]),
        )


def portable_recipe(recipe: Recipe | None) -> Recipe:
    """The recipe, which is certain to be one that another process can follow.

    Raises:
        UsageError: there is none, or its model only exists in this process.
    """
    if recipe is None or recipe.model.kind() not in kinds("models"):
        raise UsageError(
            "a network given from Python cannot be harvested by several processes: "
            "each puts the network together itself, from a model that a spec can name",
            hint="use devices=1 and strategy='auto', or write the network as a kind of the family models",
        )
    return recipe
