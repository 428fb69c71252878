"""One architecture harvested, and beside it a plain pass of transformers with hooks."""

from __future__ import annotations

import os
import re
import tempfile
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tests.architectures.tiny import CONTEXT, sizes_of
from tests.text_models import SENTENCES

from polylens import imports
from polylens.dataflow import Flow, first_tensor
from polylens.devices import Options
from polylens.errors import PolylensError
from polylens.harvest import Take, harvest, load_rows
from polylens.models.transformers import Transformers
from polylens.models.transformers.networks import _automatic_class
from polylens.records import Examples, Network, Rows
from polylens.sampling.all_positions import AllPositions
from polylens.store import Store
from polylens.streams import Streams
from polylens.study.checking import flow_of
from polylens.text import InMemory, open_text

LAYERS = 24
"""Layers that are compared at most, spread over the network."""
_ROUNDING = 2e-3
"""Difference that rounding may make, as a share of a layer's largest number; wrong rows differ by more."""


_MISFIT = "transformers cannot|the network cannot compute on one input"


@dataclass(frozen=True)
class Outcome:
    """What came of one architecture."""

    kind: str
    """`equal`, `refused`, `not made` where no tiny network fits, or what must not be: `wrong`, `foreign`."""
    why: str = ""
    layers: int = 0


def texts() -> dict[str, str]:
    """Texts of several lengths, some longer than the context."""
    draw = np.random.default_rng(0)
    words = " ".join(SENTENCES).split()
    return {f"d{n}": " ".join(draw.choice(words, size=n)) for n in (1, 2, 3, 5, 8, 9, 12)}


def outcome(model_type: str, *, head: str, tokenizer: Path, attention: str = "sdpa") -> Outcome:
    """Whether the architecture's rows are those of a plain pass, or how it is refused.

    Sizes that do not fit each other are this folder's own fault: other sizes are tried.
    """
    first = None
    for sizes in sizes_of(model_type, head=head):
        found = _outcome(sizes, tokenizer=tokenizer, attention=attention)
        if found.kind != "refused" or not re.match(_MISFIT, found.why):
            return found
        first = first or found
    return replace(first, kind="not made") if first else Outcome("not made", "its own defaults are refused")


def _outcome(config: dict[str, Any], *, tokenizer: Path, attention: str) -> Outcome:
    try:
        fields = {"source": "config", "config": config, "tokenizer": str(tokenizer), "context": CONTEXT}
        model = Transformers.model_validate({**fields, "attention": attention})
        return _compared(model, flow_of(model))
    except PolylensError as error:
        return Outcome("refused", f"{error.message} ({error.hint})")
    except Exception as error:
        return foreign(error)


def foreign(error: Exception) -> Outcome:
    """An error in words that are not ours, with its place; SHOW=1 prints it whole."""
    if os.environ.get("SHOW"):
        traceback.print_exc()
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(last.filename).name}:{last.lineno}"
    return Outcome("foreign", f"{type(error).__name__} at {place}: {str(error)[:200]}")


def _compared(model: Transformers, flow: Flow) -> Outcome:
    module = model.build(torch.Generator().manual_seed(0))
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        for parameter in module.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.2)
    network = Network(
        name="tiny",
        module=module.requires_grad_(False),
        input_format=model.input_format(),
        aliases=model.aliases(),
        example_input=model.example_input(),
        is_causal=model.is_causal(),
    )
    examples = open_text(
        InMemory(texts(), title="texts"), network.input_format, packing="one_document", streams=Streams(0)
    )
    names = [
        name for name, shape in flow.layers.items() if shape.grid == (CONTEXT,) and name not in ("input",)
    ]
    names = spread(names)
    if not names:
        return Outcome("wrong", f"no layer of tokens: {dict(flow.unusable)}")
    takes = [Take(f"{i:064x}", name, "activations", AllPositions()) for i, name in enumerate(names)]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        harvest(
            network,
            examples,
            takes,
            streams=Streams(0),
            store=store,
            options=Options(accelerator="cpu", batch_size=4),
        )
        rows = [load_rows(store, activations=take.digest) for take in takes]
    plain = _plain(model, module, examples, rows, names)
    wrong = misfits(dict(zip(names, rows, strict=True)), plain)
    if wrong:
        return Outcome("wrong", f"{len(wrong)} of {len(names)}: {', '.join(wrong[:3])}", len(names))
    said = "; ".join(f"{name}: {why}" for name, why in flow.unusable.items())
    return Outcome("equal", said, len(names))


def spread(names: list[str]) -> list[str]:
    """Some of the layers, spread over the network."""
    return (
        [names[place] for place in sorted({*np.linspace(0, len(names) - 1, LAYERS).astype(int)})]
        if names
        else []
    )


def misfits(rows: Mapping[str, Rows], expected: Mapping[str, np.ndarray]) -> list[str]:
    """Layers whose rows are others than expected, and by how much of the largest number."""
    wrong = []
    for name, found in rows.items():
        values = found.activations
        assert values is not None
        if name not in expected or values.shape != expected[name].shape:
            wrong.append(f"{name}: {values.shape}")
            continue
        largest = max(float(np.nanmax(np.abs(expected[name]), initial=0)), 1e-30)
        gap = float(np.nanmax(np.abs(values - expected[name]), initial=0))
        if not np.array_equal(np.isnan(values), np.isnan(expected[name])) or gap > _ROUNDING * largest:
            wrong.append(f"{name}: {gap / largest:.1e}")
    return wrong


def _plain(
    model: Transformers, module: torch.nn.Module, examples: Examples, rows: list[Rows], names: list[str]
) -> dict[str, np.ndarray]:
    """What hooks see in transformers' own pass over each input by itself."""
    settings = dict(model.config)
    plain = _automatic_class(settings).from_config(
        imports.transformers().CONFIG_MAPPING[settings.pop("model_type")].from_dict(settings),
        attn_implementation=model.attention,
        dtype=torch.float32,
    )
    plain.eval().load_state_dict(module.state_dict())
    passes = []
    for index in range(len(examples)):
        ids = examples.batch([index])
        passes.append(first_tensors(plain, input_ids=ids[ids >= 0][None], use_cache=False))
    lengths = [int((examples.batch([index]) >= 0).sum()) for index in range(len(examples))]
    return {
        name: _rows([seen[name] for seen in passes], lengths, found.origins.example, found.origins.position)
        for name, found in zip(names, rows, strict=True)
        if all(name in seen for seen in passes)
    }


def first_tensors(module: torch.nn.Module, *args: Any, **inputs: Any) -> dict[str, torch.Tensor]:
    """The first tensor of every call of every module in one pass, and of the output."""
    seen: dict[str, torch.Tensor] = {}
    calls: Counter[str] = Counter()

    def hook(name: str) -> Any:
        def keep(part: torch.nn.Module, given: Any, output: Any) -> None:
            calls[name] += 1
            tensor = first_tensor(output)
            if tensor is not None:
                seen[name if calls[name] == 1 else f"{name}#{calls[name]}"] = tensor.detach().clone()

        return keep

    handles = [part.register_forward_hook(hook(name)) for name, part in module.named_modules() if name]
    with torch.no_grad():
        output = first_tensor(module(*args, **inputs))
    for handle in handles:
        handle.remove()
    assert output is not None
    return {**seen, "output": output}


def _rows(
    tensors: list[torch.Tensor], lengths: list[int], example: np.ndarray, position: np.ndarray
) -> np.ndarray:
    """The rows of a layer, the axis of tokens being the one that is as long as each text."""
    axis = next(
        axis
        for axis in range(tensors[0].dim())
        if all(tensor.shape[axis] == length for tensor, length in zip(tensors, lengths, strict=True))
    )
    by_token = [tensor.movedim(axis, 0).flatten(1) for tensor in tensors]
    return np.stack([np.asarray(by_token[i][p]) for i, p in zip(example, position, strict=True)])
