"""A harvest from start to end: what is missing is computed in one forward pass and stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polylens.devices import Options, in_fitting_batches
from polylens.errors import StageError
from polylens.harvest.job import Job, portable_recipe
from polylens.harvest.rows import load_skipped
from polylens.harvest.shard import Shard, shard_size, shards_of
from polylens.harvest.take import STAGE, Take
from polylens.progress import Progress, Silent
from polylens.records import Examples, Network, Skipped
from polylens.store import Store, explain_disk_errors, read_json
from polylens.streams import Streams
from polylens.workers.starting import Crew, run_workers

if TYPE_CHECKING:
    from polylens.assembly import Recipe
    from polylens.harvest.resolved import ResolvedTake


WORKER = "polylens.harvest.worker"
"""The program of each process of a harvest on several."""


@dataclass(frozen=True)
class Harvested:
    """One take's rows in the store."""

    take: Take
    folder: Path
    n_rows: int
    skipped: tuple[Skipped, ...]
    """Examples that the sampling rule could not sample."""
    was_stored: bool
    """Whether the store had the rows before."""


def harvest(
    network: Network,
    examples: Examples,
    takes: Sequence[Take],
    *,
    streams: Streams,
    store: Store,
    recipe: Recipe | None = None,
    root: Path | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
    about: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[Harvested, ...]:
    """Brings the rows of every take into the store, with one forward pass for all that it lacks.

    A harvest that was stopped goes on at the first missing shard. Rows depend neither on the batch size
    nor on the number of processes.

    Args:
        network: in eval mode; comes back as it was.
        examples: prepared for the network.
        takes: what is asked of the pass.
        streams: randomness of sampling, by example id.
        store: where the rows go.
        recipe: from which other processes put together the same network; needed for more than one.
        root: folder that the recipe's relative data roots start from.
        options: devices, processes, precision, batch size.
        progress: shows examples and their rate.
        about: what each take is, by digest, for people who look into the store.

    Raises:
        UsageError: a layer is unknown, a code does not fit, the network is no function of one example, the
            options cannot be had here, or several processes are asked for and the network cannot be put
            together in another one.
        DataError: a layer needs a sampling rule, or no example could be sampled.
        StageError: a process of the harvest failed.
    """
    from polylens.harvest.resolved import resolve_takes

    options, progress = options or Options(), progress or Silent()
    if options.is_distributed:
        portable_recipe(recipe)
    resolved = {item.take.digest: item for item in resolve_takes(network, examples, takes)}
    with ExitStack() as locks:
        # In one order everywhere: two harvests that share takes then cannot wait for each other.
        for digest in sorted(resolved):
            locks.enter_context(store.lock(STAGE, digest, progress=progress))
        missing = {
            digest: item
            for digest, item in resolved.items()
            if not store.is_whole(STAGE, digest, progress=progress)
        }
        if missing:
            work = _Work(network, examples, tuple(missing.values()), streams, store, options, progress)
            with explain_disk_errors(store.root):
                work.compute(recipe, root=root or Path.cwd())
            work.commit(about or {})
    return tuple(_harvest_of(store, take, was_stored=take.digest not in missing) for take in takes)


@dataclass(frozen=True)
class _Work:
    """What one harvest has to do, under the locks of all its takes."""

    network: Network
    examples: Examples
    resolved: tuple[ResolvedTake, ...]
    streams: Streams
    store: Store
    options: Options
    progress: Progress

    def compute(self, recipe: Recipe | None, *, root: Path) -> None:
        """Computes the shards that no earlier, stopped harvest has left."""
        missing = self._missing_shards()
        wanted: frozenset[Shard] = frozenset().union(*missing.values())
        n_examples = sum(len(shard) for shard in wanted)
        if n_examples < len(self.examples):
            self.progress.note(
                f"{len(self.examples) - n_examples:,} examples were harvested before; going on"
            )
        if not wanted:
            return
        self._check_examples_alone()
        with self.progress.task("harvesting", total=n_examples, unit="examples") as task:
            if self.options.is_distributed:
                job = Job(
                    recipe=portable_recipe(recipe),
                    takes=tuple(item.take for item in self.resolved),
                    missing=missing,
                    folders=self._folders(),
                    streams=self.streams,
                    store=self.store.root,
                    root=root,
                    options=self.options,
                )
                # In the takes' folder, where other machines can read it too.
                folder = next(iter(job.folders.values()))
                crew = Crew(WORKER, job.to_plain(), folder, STAGE, self.options)
                run_workers(crew, hear=lambda message: task.advance(message["advance"]))
                return
            in_fitting_batches(
                lambda batch_size: self._predict(batch_size, missing, advance=task.advance),
                batch_size=self.options.batch_size,
                note=self.progress.note,
            )

    def _predict(
        self, batch_size: int, missing: Mapping[str, frozenset[Shard]], *, advance: Callable[[int], None]
    ) -> None:
        from polylens.harvest.predicting import predict_shards

        if batch_size < self.options.batch_size:
            missing = self._missing_shards()  # a pass that ran out of memory has left its finished shards
        predict_shards(
            self.network,
            self.examples,
            self.resolved,
            missing=missing,
            folders=self._folders(),
            streams=self.streams,
            options=replace(self.options, batch_size=batch_size),
            advance=advance,
        )

    def _check_examples_alone(self) -> None:
        """Refuses a network whose rows would depend on the batch, on chance or on the passes before."""
        from polylens.harvest.dependence import check_examples_alone
        from polylens.harvest.resolved import Sources

        read = Sources.of(self.resolved)
        check_examples_alone(
            self.network,
            self.examples,
            layers=read.layers,
            nonlinearities=read.nonlinearities,
            shapes=read.shapes,
            batch_size=self.options.batch_size,
        )

    def commit(self, about: Mapping[str, Mapping[str, Any]]) -> None:
        """Makes each take's shards a stage."""
        from polylens.harvest.merging import merge_shards

        for item in self.resolved:
            digest = item.take.digest
            # Written a moment ago, or verified then.
            shards = self._shards_on_disk(digest, verified=False)
            lacking = len(self._all_shards) - len(shards)
            if lacking:
                raise StageError(
                    STAGE, f"{lacking} shards were not written", hint="run the same command again: it goes on"
                )
            with self.store.commit_stage(STAGE, digest, about=about.get(digest, {})) as folder:
                merge_shards(folder, item, shards, examples=self.examples)

    def _folders(self) -> dict[str, Path]:
        return {item.take.digest: self.store.partial(STAGE, item.take.digest) for item in self.resolved}

    def _missing_shards(self) -> dict[str, frozenset[Shard]]:
        """The shards that each take lacks."""
        every = frozenset(self._all_shards)
        return {
            digest: every - self._shards_on_disk(digest, verified=True).keys() for digest in self._folders()
        }

    def _shards_on_disk(self, digest: str, *, verified: bool) -> dict[Shard, Path]:
        from polylens.harvest.shard_files import finished_shards

        every = self._all_shards
        files = finished_shards(self.store.partial(STAGE, digest), verified=verified)
        return {shard: path for shard, path in files.items() if shard in every}

    @cached_property
    def _all_shards(self) -> tuple[Shard, ...]:
        from polylens.harvest.loading import example_bytes

        size = shard_size(example_bytes(self.examples, self.resolved, streams=self.streams))
        return shards_of(len(self.examples), size=size)


def _harvest_of(store: Store, take: Take, *, was_stored: bool) -> Harvested:
    folder = store.open(STAGE, take.digest)
    meta = read_json(folder / "meta.json")
    return Harvested(take, folder, meta["rows"], load_skipped(store, take.digest), was_stored)
