"""polylens from Python: load a spec, plan it, run it, and read what came of it, now or later."""

from __future__ import annotations

import operator
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polylens.analyses import NETWORK
from polylens.devices import Options
from polylens.errors import UnloggedWarning, UsageError
from polylens.models._given import Given
from polylens.progress import OneLine, Progress, Silent
from polylens.records import ImageFormat, Labels, Partition, Rows
from polylens.settings import load_settings
from polylens.spec import Study, load, loads
from polylens.study.outlook import Outlook, outlook_of
from polylens.study.running import run_study
from polylens.study.study_results import StudyResult

if TYPE_CHECKING:
    import torch

    from polylens.study.layers import Layers
    from polylens.study.past import PastRun
    from polylens.study.readable import ReadableRun


def load_spec(
    spec: str | Path | Mapping[str, Any],
    *,
    overrides: Sequence[str] = (),
    model: torch.nn.Module | None = None,
    input_shape: Sequence[int] | None = None,
    image_format: ImageFormat | None = None,
) -> Study:
    """The checked study of a spec file, or of a spec as a dictionary.

    Args:
        spec: a path, or what the YAML would say.
        overrides: values that replace the spec's, each written `a.b=c`.
        model: one's own module in place of the spec's `model`, which may then be left out.
        input_shape: shape of one input of that module, without the batch axis.
        image_format: how images become its inputs; by default flat grey pixels in [0, 1] for one axis, and
            channels x height x width for three.

    Raises:
        SpecError: anything in the spec is wrong; carries every problem with its place.
        UsageError: a module without its input shape.
    """
    given = None if model is None else _given_model(model, input_shape, image_format)
    if not isinstance(spec, (str, Path, Mapping)):
        raise UsageError(f"a spec is a path or a dictionary, not {type(spec).__name__}")
    if isinstance(spec, Mapping):
        return loads(spec, overrides=overrides, model=given)
    return load(spec, overrides=overrides, model=given)


def plan(
    spec: Study | str | Path | Mapping[str, Any], *, options: Options | None = None, limit: int | None = None
) -> Outlook:
    """The stages of a spec, what is stored, and what the rest may cost."""
    limit = _whole_limit(limit)
    study = spec if isinstance(spec, Study) else load_spec(spec)
    settings = load_settings(study.source or Path.cwd())
    return outlook_of(study, settings=settings, options=options or Options(), limit=limit)


def run(
    spec: Study | str | Path | Mapping[str, Any],
    *,
    model: torch.nn.Module | None = None,
    input_shape: Sequence[int] | None = None,
    image_format: ImageFormat | None = None,
    overrides: Sequence[str] = (),
    options: Options | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
) -> StudyResult:
    """Does what a spec asks for and logs it, as `polylens run` does.

    In a notebook one line says how far it is; `progress=polylens.Silent()` says nothing.

    Warns:
        UnloggedWarning: MLflow lacks some of it; `unlogged` of the result names the runs.

    Raises:
        SpecError: anything in the spec is wrong.
        StageError: a stage failed.
    """
    limit = _whole_limit(limit)
    if isinstance(spec, Study):
        if model is not None or overrides:
            raise UsageError(
                "give 'model' and 'overrides' to load_spec, or a spec that is not loaded yet to run"
            )
        study = spec
    else:
        study = load_spec(
            spec, overrides=overrides, model=model, input_shape=input_shape, image_format=image_format
        )
    result = run_study(
        study,
        settings=load_settings(study.source or Path.cwd()),
        options=options or Options(),
        progress=progress or _progress_here(),
        limit=limit,
    )
    if result.unlogged:
        warnings.warn(result.unlogged_in_words, UnloggedWarning, stacklevel=2)
    for child in result.failed:
        if child.error is not None:
            raise child.error
    return result


def layers(
    spec: Study | str | Path | Mapping[str, Any],
    *,
    model: torch.nn.Module | None = None,
    input_shape: Sequence[int] | None = None,
    image_format: ImageFormat | None = None,
) -> Layers:
    """What `layer` of a spec can name: each layer's width, positions and kinks; no rows are computed.

    Args:
        spec: a study, a path, or what the YAML would say; its `layer` must exist, and `input` always does.
        model: one's own module in place of the spec's `model`.
        input_shape: shape of one input of that module, without the batch axis.
        image_format: how images become its inputs.

    Raises:
        SpecError: anything in the spec is wrong.
        UsageError: a sweep asks for several networks; take one with `load_spec(spec, overrides=[...])`.
    """
    from polylens.study.layers import layers_of

    study = (
        spec
        if isinstance(spec, Study)
        else load_spec(spec, model=model, input_shape=input_shape, image_format=image_format)
    )
    networks = layers_of(study)
    if len(networks) > 1:
        raise UsageError(
            f"the spec asks for {len(networks)} networks: {', '.join(n.model for n in networks)}"
        )
    return networks[0]


def open_run(run: str | Path, *, project: str | Path | None = None) -> PastRun:
    """A past run, read from MLflow and the store; no network is built and nothing is computed.

    Args:
        run: MLflow's id, the start of one, a run's name (its newest finished run), or the path of a spec (its
            run as it is now).
        project: a file or folder of the project; the working directory, or the spec's folder, if not given.

    Returns:
        The run: `.numbers()`, `.table(name)`, `.figure(name)`, `.paper_table()`, `.latex()`, `.spec`,
        `.provenance`; and what `load_rows`, `load_partition` and `load_labels` take.

    Raises:
        UsageError: there is no such run, it was deleted, or several are meant; says which are near.
        TrackingError: MLflow cannot be asked.
    """
    from polylens.study.meant import is_spec, past_runs

    asked = str(run)
    start = Path(project) if project is not None else Path(asked) if is_spec(asked) else Path.cwd()
    return past_runs(load_settings(start)).one(asked)


def load_rows(
    result: StudyResult | ReadableRun,
    *,
    child: str | None = None,
    variant: str = NETWORK,
    draw: int = 1,
) -> Rows:
    """The rows of a run's network, or of one draw of a control, memory-mapped from the store.

    Of a past run of texts they come without their tokens.

    Raises:
        UsageError: there is no such child, control or draw.
        StoreError: the store no longer has them.
    """
    return _child(result, child).rows(variant=variant, draw=draw)


def load_partition(
    result: StudyResult | ReadableRun,
    analysis: str = "clusters",
    *,
    child: str | None = None,
    variant: str = NETWORK,
    draw: int = 1,
) -> Partition:
    """The clusters that one analysis of a run found, on its network or on one draw of a control.

    Raises:
        UsageError: there is no such analysis, control or draw, or it gives no clusters.
        StoreError: the store no longer has them.
    """
    return _child(result, child).stored.partition(analysis, variant, draw)


def load_labels(
    result: StudyResult | ReadableRun,
    label: str,
    *,
    child: str | None = None,
    variant: str = NETWORK,
    draw: int = 1,
) -> Labels:
    """The labels of a run's clusters, or of those of one draw of a control.

    Raises:
        UsageError: there are no such labels, control or draw.
        StoreError: the store no longer has them.
    """
    return _child(result, child).stored.labels(label, variant, draw)


def _progress_here() -> Progress:
    """One line in a notebook; elsewhere nothing, as a program's own output must stay its own."""
    return OneLine(sys.stdout) if "ipykernel" in sys.modules else Silent()


def _given_model(
    model: torch.nn.Module, input_shape: Sequence[int] | None, image_format: ImageFormat | None
) -> Given:
    import torch

    if not isinstance(model, torch.nn.Module):
        raise UsageError(f"'model' must be a torch.nn.Module, not {type(model).__name__}")
    if input_shape is None:
        raise UsageError(
            "a module from Python needs input_shape=(...), the shape of one input without the batch"
        )
    tensors = (*model.parameters(), *model.buffers())
    if any(torch.nn.parameter.is_lazy(tensor) for tensor in tensors):
        raise UsageError(
            "the module has lazy layers that have no weights yet", hint="pass one batch through it first"
        )
    scripted = [path for path, part in model.named_modules() if isinstance(part, torch.jit.ScriptModule)]
    if scripted:
        named = f"'{scripted[0]}' of the module" if scripted[0] else "the module"
        raise UsageError(
            f"{named} is a module of TorchScript, whose steps cannot be watched",
            hint="give the module that it was scripted or traced from",
        )
    if any(tensor.is_meta for tensor in tensors):
        raise UsageError("the module is on the device 'meta', where weights have no numbers")
    shape = _whole_numbers(input_shape)
    if image_format is None:
        channels = 1 if len(shape) == 1 else shape[0]
        image_format = ImageFormat(channels=channels, flatten=len(shape) == 1)
    return Given(module=model, shape=shape, format=image_format)


def _whole_numbers(input_shape: Sequence[int]) -> tuple[int, ...]:
    try:
        shape = tuple(operator.index(extent) for extent in input_shape)
    except TypeError:
        shape = ()
    if not shape or min(shape) < 1:
        raise UsageError(
            f"input_shape must be whole numbers, such as (3, 224, 224) or (64,), not {input_shape!r}"
        )
    return shape


def _whole_limit(limit: int | None) -> int | None:
    if limit is None:
        return None
    try:
        whole = 0 if isinstance(limit, bool) else operator.index(limit)
    except TypeError:
        whole = 0
    if whole < 1:
        raise UsageError(f"'limit' must be a whole number of at least 1, not {limit!r}")
    return whole


def _child(result: StudyResult | ReadableRun, name: str | None) -> ReadableRun:
    return result.child(name) if isinstance(result, StudyResult) else result
