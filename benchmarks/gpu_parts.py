"""The parts of `gpu.py`. Each yields rows of its table as it finds them."""

from __future__ import annotations

import copy
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from gpu_networks import Subject, googlenet, gpt2
from measuring import alternated, peak_megabytes
from planted import planted

from polylens.clustering import hierarchy, kmeans
from polylens.devices import Options, compute_on, exact_float32
from polylens.geometry import record, segment_crossings
from polylens.harvest import Take, harvest, load_rows
from polylens.records import Rows
from polylens.store import Store
from polylens.streams import Streams

Row = dict[str, Any]
BITS, NUMBERS = 3_072, 1_536
NOISE = 1e-3
"""Share of bits that 32-bit sums in another order may turn; 16-bit ones turn more, and are not compared."""


@dataclass(frozen=True)
class Job:
    """Where a part computes, how much, and until when."""

    device: str
    tiny: bool
    end: float
    """By `time.monotonic`."""

    @property
    def accelerator(self) -> str:
        """The device in Lightning's words."""
        return "gpu" if self.device.startswith("cuda") else self.device

    def has(self, seconds: float) -> bool:
        """Whether so much time is left."""
        return time.monotonic() + seconds < self.end

    def timed(self, work: Callable[[], Any]) -> tuple[Any, float, int]:
        """What some work gives, its seconds, and the most memory it held on the device, in MB."""
        if self.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        start = time.perf_counter()
        given = work()
        self.wait()
        seconds = time.perf_counter() - start
        peak = torch.cuda.max_memory_allocated() >> 20 if self.device == "cuda" else peak_megabytes()
        return given, seconds, int(peak)

    def wait(self) -> None:
        """Until the device has done all that it was given."""
        if self.device == "cuda":
            torch.cuda.synchronize()


def rows_of(part: str, job: Job) -> Iterator[Row]:
    """The rows of one part."""
    parts: dict[str, Callable[[Job], Iterator[Row]]] = {
        "equality": equality,
        "harvest": rates,
        "codes": codes,
        "activations": activations,
        "crossings": crossings,
    }
    with compute_on(job.accelerator):
        yield from parts[part](job)


def equality(job: Job) -> Iterator[Row]:
    """Trees, codes and crossings beside the processor's."""
    n = 300 if job.tiny else 3_000
    for metric in ("hamming", "jaccard", "euclidean", "cosine", "l1"):
        of_bits = metric in ("hamming", "jaccard")
        rows = planted(n, units=96 if job.tiny else 512, codes=of_bits).rows
        here, there = (hierarchy(rows, metric=metric, device=device) for device in ("cpu", job.device))
        same = np.array_equal(here.heights, there.heights) and np.array_equal(here.core, there.core)
        yield {"what": f"tree, {metric}", "size": n, "equal": _yes(same)}
    for subject in (
        googlenet(4 if job.tiny else 16, tiny=job.tiny),
        gpt2(2 if job.tiny else 4, tiny=job.tiny),
    ):
        here, there = (_harvest(subject, accelerator, "32-true") for accelerator in ("cpu", job.accelerator))
        assert here.codes is not None
        assert there.codes is not None
        turned = int(np.bitwise_count(here.codes.packed ^ there.codes.packed).sum())
        share = turned / (8 * here.codes.packed.size)
        yield {
            "what": f"codes of {subject.name}",
            "size": len(here),
            "equal": _yes(share < NOISE),
            "turned": share,
        }
    here, there = (
        _crossings(device, job, share=0.05 if job.tiny else 2e-4) for device in ("cpu", job.device)
    )
    same = len(here) == len(there) and np.allclose(here, there, rtol=0, atol=1e-9)
    yield {"what": "crossings", "size": len(here), "equal": _yes(same)}


def rates(job: Job) -> Iterator[Row]:
    """Rows a second from nothing to the store, beside the bare model."""
    for make, size in ((gpt2, 2 if job.tiny else 256), (googlenet, 4 if job.tiny else 2_048)):
        for precision in ("32-true", "bf16-true"):
            if not job.has(5):
                return
            subject = make(size, tiny=job.tiny)
            first = job.timed(lambda s=subject, p=precision: _harvest(s, job.accelerator, p))
            turns = 1 if job.tiny or not job.has(8 * first[1]) else 3
            work = {
                "ours": lambda s=subject, p=precision: _harvest(s, job.accelerator, p),
                "bare": lambda s=subject, p=precision: _bare(s, job, p),
            }
            seconds = {name: median(times) for name, times in alternated(work, turns=turns).items()}
            yield {
                "what": subject.name,
                "precision": precision,
                "size": size,
                "rows/s": size / seconds["ours"],
                "bare/s": size / seconds["bare"],
                "share of bare": seconds["bare"] / seconds["ours"],
                "turns": turns,
                "peak MB": first[2],
            }


def codes(job: Job) -> Iterator[Row]:
    """Spanning trees of codes."""
    sizes = (200, 400) if job.tiny else (10_000, 100_000, 1_000_000)
    yield from _growing(job, sizes, lambda n: planted(n, units=BITS, codes=True).rows, _tree("hamming"))


def activations(job: Job) -> Iterator[Row]:
    """Spanning trees and k-means of activations."""
    sizes = (200, 400) if job.tiny else (10_000, 100_000)

    def rows(n: int) -> np.ndarray:
        return planted(n, units=64 if job.tiny else NUMBERS, codes=False).rows

    def centres(rows: np.ndarray, device: str) -> object:
        few = 3 if job.tiny else 300
        return kmeans(rows, clusters=few, restarts=1, streams=Streams(0), exemplars=False)

    yield from _growing(job, sizes, rows, _tree("euclidean"))
    yield from _growing(job, sizes, rows, centres, what="k-means", power=1)


def crossings(job: Job) -> Iterator[Row]:
    """Boundaries on segments of GoogLeNet, ever longer ones."""
    seconds = 0.0
    for share in (1e-4, 1e-3, 1e-2, 1e-1):
        if not job.has(15 * seconds) or (job.tiny and share > 1e-4):
            return
        found, seconds, peak = job.timed(lambda share=share: _crossings(job.device, job, share=share))
        yield {
            "what": f"{share:g} of the way between two images",
            "crossings": len(found),
            "seconds": seconds,
            "crossings/s": len(found) / seconds,
            "peak MB": peak,
        }


def _growing(
    job: Job,
    sizes: tuple[int, ...],
    make: Callable[[int], np.ndarray],
    work: Callable[[np.ndarray, str], object],
    *,
    what: str = "tree",
    power: int = 2,
) -> Iterator[Row]:
    """Work on ever more rows, while there is time for what grows with a power of their number."""
    seconds, before = 0.0, sizes[0]
    for n in sizes:
        if not job.has(seconds * (n / before) ** power):
            yield {"what": what, "size": n, "left out": "the time would not do"}
            return
        rows = make(n)
        work(rows[: min(n, 1_000)], job.device)  # what is compiled is loaded
        _, seconds, peak = job.timed(lambda rows=rows: work(rows, job.device))
        before = n
        yield {
            "what": what,
            "size": n,
            "seconds": seconds,
            "peak MB": peak,
        }


def _tree(metric: str) -> Callable[[np.ndarray, str], object]:
    return lambda rows, device: hierarchy(rows, metric=metric, device=device)


def _harvest(subject: Subject, accelerator: str, precision: str) -> Rows:
    take = Take(
        "0" * 64, subject.layer, "codes", subject.sampling, subject.code, whole=subject.sampling is None
    )
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        options = Options(accelerator=accelerator, precision=precision, batch_size=subject.batch)
        harvest(subject.network, subject.examples, [take], streams=Streams(0), store=store, options=options)
        rows = load_rows(store, codes=take.digest)
        assert rows.codes is not None
        np.array(rows.codes.packed)
        return rows


def _bare(subject: Subject, job: Job, precision: str) -> None:
    """The whole model on all examples, and nothing kept of it."""
    kind = torch.bfloat16 if precision == "bf16-true" else torch.float32
    module = copy.deepcopy(subject.network.module).to(job.device, kind)
    with torch.no_grad(), exact_float32():
        for start in range(0, len(subject.examples), subject.batch):
            last = min(start + subject.batch, len(subject.examples))
            inputs = subject.examples.batch(range(start, last))
            module(inputs.to(job.device, kind) if inputs.is_floating_point() else inputs.to(job.device))
        job.wait()


def _crossings(device: str, job: Job, *, share: float) -> np.ndarray:
    """Where the way from one image's tensor to another's, or a share of it, meets boundaries."""
    subject = googlenet(2, tiny=job.tiny)
    module = copy.deepcopy(subject.network.module).to(device)
    images = subject.examples.batch([0, 1]).to(device)
    kept: list[torch.Tensor] = []
    handle = module.get_submodule(subject.middle).register_forward_hook(
        lambda *given: kept.append(given[2].double())
    )
    with torch.no_grad():
        module.double()(images.double())
    handle.remove()
    part = record(module.float(), images[:1]).part(subject.middle)
    start, end = kept[0]
    found = segment_crossings(part, start, start + share * (end - start), vertices=64, keep_outputs=False)
    return np.asarray(found.position)


def _yes(same: bool) -> str:
    return "yes" if same else "no"
