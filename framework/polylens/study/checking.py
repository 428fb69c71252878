"""Checks that take building the network (without its weights): layers, codes and sampling rules."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from polylens.codes import Code
from polylens.dataflow import Flow, trace
from polylens.digests import digest
from polylens.errors import DataError, PolylensError, Problem, SpecError, UsageError, listed, nearest
from polylens.harvest.suspects import hint_of
from polylens.models import Model
from polylens.records import TextFormat
from polylens.sampling import Sampling, TooFewPositionsError
from polylens.spec import Experiment, Study, is_glob
from polylens.streams import Streams
from polylens.study.plans import ChildPlan

_FLOWS: dict[str, Flow] = {}
"""Flows found so far, by digest of the architecture; checks, layer patterns and plans all ask for them."""


def flow_of(model: Model) -> Flow:
    """The data flow of a model's architecture, found by one watched forward pass with fresh weights.

    Raises:
        UsageError: the network fails on an input of the shape that it is said to take.
    """
    key = digest(model.untrained().to_plain())
    if key not in _FLOWS:
        _FLOWS[key] = _trace(model)
    return _FLOWS[key]


def _trace(model: Model) -> Flow:
    module = model.skeleton(Streams(0).torch_generator("structure"))
    try:
        return trace(module.eval(), model.example_input(), aliases=model.aliases())
    except PolylensError:
        raise
    except Exception as error:  # whatever the network's own code raises
        shape = " x ".join(map(str, model.input_shape()))
        said = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        raise UsageError(
            f"the network cannot compute on one input of {shape}: {said}",
            hint=hint_of(module)
            or "it must take one tensor of that shape, with an axis of examples in front, and nothing else",
        ) from error


def layer_names(experiment: Experiment) -> tuple[str, ...]:
    """Every layer of an experiment's network, for patterns that the configuration alone cannot expand."""
    return tuple(flow_of(experiment.model).layers)


def check_layers(study: Study) -> bool:
    """Checks layers by the modules of each network, built without memory for its weights.

    Returns:
        Whether all were checked: a network whose architecture takes a download, or that cannot be built
        like this, is left to `check_deep`.

    Raises:
        SpecError: there is no such network, or it has no such layer.
    """
    problems: list[Problem] = []
    all_checked = True
    for child in study.children:
        experiment = child.experiment
        if is_glob(experiment.layer) or experiment.model.layers() is not None:
            continue  # patterns take a watched pass; what the configuration names was checked with the spec
        try:
            names = _module_names(experiment.model)
        except UsageError as error:
            notes = () if error.hint is None else (error.hint,)
            problems += with_places(study, [Problem(error.message, path="model", notes=notes)])
            continue
        if names is None:
            all_checked = False
            continue
        known = ["input", *experiment.model.aliases(), *names, "output"]
        if experiment.layer.partition("#")[0] not in known:
            problems += with_places(study, [_no_layer(experiment, known)])
    if problems:
        raise SpecError(tuple(dict.fromkeys(problems)))
    return all_checked


def _module_names(model: Model) -> tuple[str, ...] | None:
    """Paths of all modules; None where they take a download, or a build with memory for weights.

    Raises:
        UsageError: there is no such network.
    """
    if model.needs_download():
        return None
    try:
        with torch.device("meta"):
            module = model.untrained().build(torch.Generator())
    except (DataError, RuntimeError, NotImplementedError, ValueError):
        return None
    return tuple(name for name, _ in module.named_modules() if name)


def _no_layer(experiment: Experiment, known: Sequence[str]) -> Problem:
    return Problem(
        f"the model has no layer '{experiment.layer}'",
        path="layer",
        suggestion=nearest(experiment.layer, known),
        notes=(f"layers: {listed(known)}",),
    )


def check_deep(study: Study) -> None:
    """Checks every child of a study against its network.

    Raises:
        SpecError: a layer does not exist, a code has no units there, or a sampling rule is missing.
        DataError: the network's files cannot be had.
    """
    problems: list[Problem] = []
    try:
        for child in study.with_layers(layer_names).children:
            problems += with_places(study, problems_with(child.experiment, flow_of(child.experiment.model)))
    except DataError as error:
        error.place = study.place_of_change("model")
        raise
    if problems:
        raise SpecError(tuple(dict.fromkeys(problems)))


def with_places(study: Study, problems: Iterable[Problem]) -> Iterator[Problem]:
    """The problems of a network with their places, and which override chose the network."""
    chose = next((text for text in study.overrides if re.match(r"model\b", text)), None)
    notes = () if chose is None else (f"the model is as --set {chose} says",)
    for problem in problems:
        yield replace(problem, place=study.place_of(problem.path), notes=(*problem.notes, *notes))


def check_inputs(study: Study, plans: Sequence[ChildPlan]) -> None:
    """Checks that the first example of every child fits its network.

    Raises:
        SpecError: it has another shape.
    """
    problems: dict[tuple[tuple[int, ...], tuple[int, ...]], Problem] = {}
    for plan in plans:
        taken = plan.experiment.model.input_shape()
        given = tuple(plan.examples.batch([0]).shape[1:]) if len(plan.examples) else taken
        if given != taken and not _is_shorter_text(given, plan.experiment.model):
            problems[taken, given] = Problem(
                f"the network takes inputs of {_extent(taken)}, the dataset's examples have {_extent(given)}",
                place=study.place_of_change("model"),
                path="model",
                notes=("mend the size of inputs that the model is made for, or take another dataset",),
            )
    if problems:
        raise SpecError(tuple(problems.values()))


def _is_shorter_text(given: tuple[int, ...], model: Model) -> bool:
    """Whether an example is a text that the network can take: it may be shorter than the longest."""
    input_format = model.input_format()
    return isinstance(input_format, TextFormat) and len(given) == 1 and given[0] <= input_format.context


def _extent(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} numbers" if len(shape) == 1 else " x ".join(map(str, shape))


def problems_with(experiment: Experiment, flow: Flow) -> list[Problem]:
    """What is wrong with a child's layer, code and sampling on this network."""
    layer = experiment.module_path
    if layer in flow.unusable:
        return [Problem(f"'{experiment.layer}' is not a layer: {flow.unusable[layer]}", path="layer")]
    if layer not in flow.layers:
        return [_no_layer(experiment, [*experiment.model.aliases(), *flow.layers])]
    problems = []
    grid = flow.layers[layer].grid
    whole = experiment.takes_whole_examples
    if grid and experiment.sampling is None and not whole:
        extent = " x ".join(map(str, grid))
        problems.append(
            Problem(
                f"layer '{experiment.layer}' has {extent} positions: 'sampling' must say which become rows",
                path="layer",
                notes=(f"for example sampling: {{kind: {_example_of_sampling(grid)}}}",),
            )
        )
    if grid and experiment.sampling is not None and not whole:
        problems += _sampling_problems(experiment.sampling, grid)
    if experiment.code is not None:
        problems += _code_problems(experiment.code, flow, layer)
    for name, analysis in experiment.analyses.items():
        for named in analysis.named_layers():
            problems += _layer_problems(named, flow, path=f"analyses.{name}")
    return problems


def _example_of_sampling(grid: tuple[int, ...]) -> str:
    """A rule that fits: the middle of an image says little of it in a text, whose last token has read all."""
    return "last_token" if len(grid) == 1 else "fixed_position, at: center"


def _layer_problems(layer: str, flow: Flow, *, path: str) -> list[Problem]:
    try:
        flow.resolve(layer)
    except UsageError as error:
        return [Problem(error.message, path=path, notes=() if error.hint is None else (error.hint,))]
    return []


def _sampling_problems(sampling: Sampling, grid: tuple[int, ...]) -> list[Problem]:
    """Tries the rule on an example of which every position is valid."""
    try:
        sampling.choose(np.arange(math.prod(grid)), grid=grid, generator=np.random.default_rng(0))
    except UsageError as error:
        return [Problem(error.message, path="sampling", notes=() if error.hint is None else (error.hint,))]
    except TooFewPositionsError as error:
        shape = " x ".join(map(str, grid))
        todo = f"the layer has {shape} positions; `polylens describe sampling/{sampling.kind()}` has the keys"
        return [Problem(f"no example can be sampled like this: {error}", path="sampling", notes=(todo,))]
    return []


def _code_problems(code: Code, flow: Flow, layer: str) -> list[Problem]:
    try:
        code.select(flow, layer)
    except UsageError as error:
        return [Problem(error.message, path="code", notes=() if error.hint is None else (error.hint,))]
    return []
