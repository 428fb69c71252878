"""Whether a network's values for one example depend on that example alone: asked before rows are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from polylens.dataflow import LayerShape, Nonlinearity
from polylens.dataflow.flow import INPUT
from polylens.devices import exact_float32, in_fitting_batches
from polylens.errors import UsageError
from polylens.harvest.suspects import hint_of
from polylens.harvest.trial import Trial, Values, first_difference
from polylens.harvest.trial_inputs import TrialInputs, trial_inputs
from polylens.records import Examples, Network


def check_examples_alone(
    network: Network,
    examples: Examples,
    *,
    layers: Sequence[str],
    nonlinearities: Sequence[Nonlinearity] = (),
    shapes: Mapping[str, LayerShape] | None = None,
    batch_size: int = 1,
) -> None:
    """Checks that what the network makes of one example depends on nothing but that example.

    One example is passed alone, again, once more with other randomness, and among others in several places of
    a batch; its values must agree up to rounding (`Trial.bounds`). Another one, which was in such a batch, is
    then passed alone, as what went before must not matter either. Last comes a batch as large as those to
    come: a network may treat many otherwise than a few.

    Args:
        network: in eval mode. A copy of it is tried; global random streams stay as they are.
        examples: the first, the middle and the last are passed.
        layers: whose values must agree.
        nonlinearities: whose pre-activations must agree.
        shapes: how layers fall into positions and channels, where that is known.
        batch_size: examples of a batch to come, at most; fewer are tried where memory is too small.

    Raises:
        UsageError: they do not agree; says what they depend on, and what to do.
    """
    wanted = tuple(name for name in layers if name != INPUT)
    if not len(examples) or not (wanted or nonlinearities):
        return
    inputs = trial_inputs(examples, is_causal=network.is_causal)
    trial = Trial(network.module, wanted, tuple(nonlinearities), shapes or {}, filling=inputs.filling)
    with exact_float32(), torch.no_grad():
        dependence = _dependence(trial, inputs) or in_fitting_batches(
            lambda size: _dependence_on_many(trial, inputs, size),
            batch_size=min(batch_size, len(examples)),
            note=lambda _: None,  # whoever computes them all says so
        )
    if dependence is not None:
        where, what, hint = dependence
        raise UsageError(
            f"the network is no function of one example: its values at '{where}' {what}",
            hint=hint_of(trial.module) or hint,
        )


def _dependence(trial: Trial, inputs: TrialInputs) -> tuple[str, str, str] | None:
    """The name of a tensor whose values differ, what they depend on, and a hint; None where none differ."""
    alone = trial.values([inputs.one])
    for seed in (0, 1):
        if (where := trial.differs_again(alone, trial.values([inputs.one], seed=seed))) is None:
            continue
        if seed and trial.differs_again(alone, trial.values([inputs.one])) is None:
            return where, "are drawn at random", _RANDOM
        return where, f"change from one pass to the next{trial.changed_state(inputs.one)}", _STATE
    first, second = inputs.companions
    among = trial.values([inputs.one, first, second])
    last, other = trial.passed([second, first, inputs.one], indices=[2, 0])
    others = trial.values([inputs.one, second, second])
    if _differs(trial, inputs, alone, among, last, others) is not None:
        return _dependence_on_batch(trial, inputs, alone, among, last, others)
    if (where := trial.differs(other, trial.values([second]), inputs.one)) is not None:
        return where, "depend on what was passed before", _STATE
    return None


def _dependence_on_many(trial: Trial, inputs: TrialInputs, size: int) -> tuple[str, str, str] | None:
    """As `_dependence`, of a batch of `size`, in which several examples are looked at."""
    if size == 1:  # which was tried
        return None
    batch = inputs.filled_up(size)
    looked_at = range(min(size, 1 + len(inputs.spread)))
    for index, among in zip(looked_at, trial.passed(batch, indices=looked_at), strict=True):
        if (where := trial.differs(trial.values([batch[index]]), among, batch[index])) is not None:
            return where, _MANY, _BATCH
    return None


def _differs(trial: Trial, inputs: TrialInputs, alone: Values, *batches: Values) -> str | None:
    names = (trial.differs(alone, batch, inputs.one) for batch in batches)
    return next((where for where in names if where is not None), None)


def _dependence_on_batch(
    trial: Trial, inputs: TrialInputs, alone: Values, among: Values, last: Values, others: Values
) -> tuple[str, str, str]:
    where = _differs(trial, inputs, alone, among, last, others) or ""
    trial.start_anew()
    first, second = inputs.companions
    if trial.differs(last, trial.values([second, first, inputs.one], index=2), inputs.one) is not None:
        return where, "depend on what was passed before", _STATE
    if inputs.is_text:
        n_tokens = inputs.one.shape[1]
        cut = [companion[:, :n_tokens] for companion in inputs.companions]
        if all(part.shape == inputs.one.shape for part in cut):
            unpadded = trial.values([inputs.one, *cut])
            if first_difference(alone, unpadded, trial.bounds(alone)) is None:
                return where, "depend on the padding of texts that are shorter than others", _PADDING
    if trial.differs(among, others, inputs.one) is not None:
        return where, "depend on the other examples of the batch", _BATCH
    if trial.differs(among, last, inputs.one) is not None:
        return where, "depend on the example's place in the batch", _BATCH
    return where, "depend on how many examples are passed at once", _BATCH


_MANY = "depend on how many examples are passed at once, or on which"
_STATE = "forward() must not change anything that it reads: no counter, no cache of values, no updated buffer"
_RANDOM = (
    "draw nothing in forward() outside of training: F.dropout(x, training=self.training), no noise, and no "
    "module that is left in training mode"
)
_BATCH = (
    "compute each example by itself: no statistics, sums or sorting over the batch axis, no fixed batch size"
)
_PADDING = (
    "give it texts of one length, which need no padding (`packing: packed`), or a network that masks padding "
    "wherever tokens see each other"
)
