"""What a study would do: its stages, what is stored, why the rest is not, and what it may cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from polylens.dataflow import Flow
from polylens.devices import Options
from polylens.errors import listed
from polylens.progress import Silent
from polylens.sampling import TooFewPositionsError
from polylens.settings import Settings
from polylens.spec import Study
from polylens.store import Manifest, Store, digests_in
from polylens.streams import Streams
from polylens.study.checking import check_deep, flow_of, layer_names
from polylens.study.drawing import Drawing
from polylens.study.pages import report_stage
from polylens.study.planning import plan_study
from polylens.study.plans import ChildPlan, VariantPlan
from polylens.study.result_tables import outlook_html
from polylens.study.stages import THUMBNAIL, Stage
from polylens.study.waiting import StageOutlook, seconds_an_example, with_times
from polylens.study.walk import Walk, Workshop

_MOST_NAMED = 4


@dataclass(frozen=True)
class ChildOutlook:
    """One child: its stages and its rows."""

    name: str
    layer: str
    n_examples: int
    n_rows: int
    width: int
    """Activations a row."""
    code_units: int
    """Units of the code; 0 where none is taken."""
    harvest_seconds: float
    """Rough time of the forward passes that are missing, on this machine's CPU."""
    stages: tuple[StageOutlook, ...]


@dataclass(frozen=True, repr=False)
class Outlook:
    """What a study would do."""

    children: tuple[ChildOutlook, ...]

    @property
    def n_missing(self) -> int:
        """How many stages of all children the store lacks."""
        return sum(not stage.stored for child in self.children for stage in child.stages)

    @property
    def n_stages(self) -> int:
        """How many stages all children have together, counted as a run counts them."""
        return sum(len(child.stages) for child in self.children)

    def __repr__(self) -> str:
        return f"Outlook({len(self.children)} runs, {self.n_stages} stages, {self.n_missing} to do)"

    def _repr_html_(self) -> str:
        """The stages of each run, as notebooks show them."""
        return outlook_html(self.children)

    def to_plain(self) -> dict[str, Any]:
        """Plain data, for `plan --json`."""
        return asdict(self)


def outlook_of(study: Study, *, settings: Settings, options: Options, limit: int | None) -> Outlook:
    """The outlook of every child.

    Raises:
        SpecError: a layer does not exist, or a code or a sampling rule does not fit it.
    """
    study = study.with_layers(layer_names)
    check_deep(study)
    store = Store(settings.store)
    plans = plan_study(study, settings=settings, options=options, limit=limit, progress=Silent())
    known = store.stages()
    workshop = Workshop(store, settings.project, options, Silent(), plans)
    return Outlook(tuple(_child(plan, workshop, known) for plan in plans))


def _child(plan: ChildPlan, workshop: Workshop, known: Sequence[Manifest]) -> ChildOutlook:
    store = workshop.store
    model = plan.experiment.model
    flow = flow_of(model)
    rows = _rows(plan, flow)
    width = _width(plan, flow)
    units, bits, code_bytes = _code(plan, flow)
    sizes = {"activations": rows * width * 4, "codes": rows * code_bytes}
    embedding = model.token_embedding()
    if embedding is not None and embedding in flow.layers:
        sizes["embeddings"] = rows * flow.layers[embedding].width * 4
    missing = [variant for variant in plan.variants if _lacks_rows(variant, store)]
    drawing = Drawing(Walk(plan, workshop))
    after = (*plan.comparisons.values(), *drawing.figure_stages(), report_stage(drawing))
    everything = (*plan.stages(), *after)
    lacking = {stage.digest: stage.name for stage in everything if not store.has(stage.kind, stage.digest)}
    stages = [
        _stage(stage, store, known, lacking=lacking, estimate=_estimate(variant, stage, plan, sizes))
        for variant in plan.variants
        for stage in variant.stages()
    ]
    stages = with_times(stages, plan, n_rows=rows, width=width, code_bits=bits)
    stages += [_stage(stage, store, known, lacking=lacking, estimate=None) for stage in after]
    return ChildOutlook(
        name=plan.name,
        layer=plan.experiment.layer,
        n_examples=len(plan.examples),
        n_rows=rows,
        width=width,
        code_units=units,
        harvest_seconds=seconds_an_example(model) * len(plan.examples) * len(missing) if missing else 0.0,
        stages=tuple(stages),
    )


def _stage(
    stage: Stage,
    store: Store,
    known: Sequence[Manifest],
    *,
    lacking: Mapping[str, str],
    estimate: int | None,
) -> StageOutlook:
    if store.has(stage.kind, stage.digest):
        size = store.manifest(stage.kind, stage.digest).n_bytes
        return StageOutlook(stage.name, stage.kind, stage.digest, stored=True, n_bytes=size)
    why = _stands_on(stage, lacking) or _why(stage, known)
    return StageOutlook(stage.name, stage.kind, stage.digest, stored=False, why=why, n_bytes=estimate)


def _stands_on(stage: Stage, lacking: Mapping[str, str]) -> str:
    """Which stages it waits for; empty where it waits for none."""
    names = dict.fromkeys(lacking[name] for name in digests_in(stage.identity) if name in lacking)
    return f"stands on {listed(tuple(names), most=_MOST_NAMED)}" if names else ""


def _why(stage: Stage, known: Sequence[Manifest]) -> str:
    """What differs from the stored stage of the same name that is most alike."""
    differences: list[list[str]] = []
    for manifest in known:
        identity = manifest.about.get("identity")
        is_alike = manifest.kind == stage.kind and manifest.about.get("name") == stage.name
        if is_alike and isinstance(identity, dict):
            differences.append(list(_differences(dict(stage.identity), identity)))
    if not differences:
        return "nothing of this name is stored"
    fewest = min(differences, key=len)
    return "; ".join(fewest) or "stored by another version of polylens"


def _differences(new: Any, old: Any, path: str = "") -> Iterator[str]:
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        for key in [*new, *(key for key in old if key not in new)]:
            yield from _differences(new.get(key), old.get(key), f"{path}.{key}" if path else str(key))
    elif new != old:
        yield f"{path}: {_short(old)} stored, {_short(new)} asked for"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}..."


def _lacks_rows(variant: VariantPlan, store: Store) -> bool:
    return not all(store.has(take.stage.kind, take.stage.digest) for take in variant.takes.values())


def _estimate(variant: VariantPlan, stage: Stage, plan: ChildPlan, sizes: Mapping[str, int]) -> int | None:
    if stage.kind != "harvest":
        return None
    if variant.is_raw_inputs and "embeddings" in sizes:
        return sizes["embeddings"]
    if variant.is_raw_inputs:
        shape = plan.experiment.model.input_shape()
        return (
            len(plan.examples) * 4 * int(np.prod([shape[0], *(min(side, THUMBNAIL) for side in shape[1:])]))
        )
    return sizes[str(stage.identity["part"])]


def _rows(plan: ChildPlan, flow: Flow) -> int:
    """Rows if every example is sampled like one without padding."""
    grid = flow.layers[plan.module_path].grid
    sampling = plan.experiment.sampling
    if plan.takes_whole_examples or not grid or sampling is None:
        return len(plan.examples)
    valid = np.arange(int(np.prod(grid)), dtype=np.int64)
    try:
        chosen = sampling.choose(valid, grid=grid, generator=Streams(0).generator("outlook"))
    except TooFewPositionsError:
        return 0
    return len(plan.examples) * len(chosen)


def _width(plan: ChildPlan, flow: Flow) -> int:
    shape = flow.layers[plan.module_path]
    return shape.width * int(np.prod(shape.grid)) if plan.takes_whole_examples else shape.width


def _code(plan: ChildPlan, flow: Flow) -> tuple[int, int, int]:
    """Units, bits (none where it is graded) and bytes of a row's code."""
    code = plan.experiment.code
    if code is None:
        return 0, 0, 0
    scheme = code.select(flow, plan.module_path).scheme
    return scheme.units, 0 if code.is_graded else scheme.bits, scheme.n_bytes
