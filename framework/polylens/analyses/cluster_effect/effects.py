"""Members replaced by means of sets of rows, and what is left of their outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64, Int64

from polylens.analyses._changes.interventions import Intervention, Reached
from polylens.analyses._probing import output_names
from polylens.analyses.cluster_effect.centroids import Centroids, members_of, nearest_labels, replacement_by
from polylens.errors import DataError
from polylens.records import Findings, Number, Partition, Rows
from polylens.statistics import Blocks, angles, class_null, divergences, mean_intervals, metric_name, purity
from polylens.streams import Streams

OWN, NEAREST, RANDOM, ALL = "own_cluster", "nearest_cluster", "random_rows", "all_rows"
REPLACEMENTS = (OWN, NEAREST, RANDOM, ALL)
"""Whose mean is put in a member's place."""
_UNITS = {"kl_divergence": "bits", "js_divergence": "bits", "output_angle": "degrees"}


@dataclass(frozen=True)
class Effects:
    """What replacing did to each chosen member."""

    chosen: Int64[np.ndarray, "chosen"]
    cluster: Int64[np.ndarray, "chosen"]
    measures: Mapping[str, Float64[np.ndarray, "replacements chosen"]]
    """Values of each measure by its name; `RANDOM` is the mean over draws. NaN: nothing to put in place."""
    before: Int64[np.ndarray, "chosen"]
    """The output with the highest logit, nothing changed."""
    after: Int64[np.ndarray, "changes chosen"]
    """The output with the highest logit under each change, of which `RANDOM` has several; -1 where nothing
    was put in place."""
    which: tuple[str, ...]
    """The replacement of each change."""
    logits: Float64[np.ndarray, "clusters outputs"]
    """Mean logits of each cluster's chosen members, nothing changed."""


def replace_members(
    intervention: Intervention,
    rows: Rows,
    partition: Partition,
    *,
    clusters: Sequence[int],
    members: int,
    draws: int,
    streams: Streams,
    advance: Callable[[float], None],
) -> Effects:
    """Puts each mean in each chosen member's place, and reads the output."""
    if rows.activations is None:
        raise DataError("there are no activations to take means of")
    labels, blocks = partition.labels, Blocks.of(rows.origins.block)
    chosen = members_of(labels, clusters=clusters, most=members, generator=streams.generator("members"))
    own = Centroids(rows.activations, labels, blocks=blocks)
    every = Centroids(rows.activations, np.zeros(len(rows), np.int64), blocks=blocks)
    nearest = nearest_labels(own.means)
    finders: list[tuple[str, Callable[[int], Float64[np.ndarray, "width"] | None]]] = [
        (OWN, lambda row: own.without(row, label=int(labels[row]))),
        (NEAREST, lambda row: _nearest(own, nearest, row, labels)),
        (ALL, lambda row: every.without(row, label=0)),
    ]
    for draw in range(draws):
        shuffled = labels[blocks.relaid_rows(streams.generator("shuffle", draw))]
        finders.append(
            (RANDOM, _find_in_shuffled(Centroids(rows.activations, shuffled, blocks=blocks), labels))
        )
    pairs = [replacement_by(find, chosen) for _, find in finders]
    known = np.stack([has for _, has in pairs])
    batches: list[tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]] = []
    logits = np.zeros((len(clusters), intervention.flow.layers["output"].width))
    counts = np.bincount(labels[chosen], minlength=len(clusters))
    is_logits = intervention.output_is == "logits"
    for reached in intervention.batches(chosen, [change for change, _ in pairs]):
        batches.append((reached.rows, reached.output.argmax(-1), _measures(reached, is_logits=is_logits)))
        np.add.at(logits, labels[reached.rows], reached.output[0])
        advance(len(reached.rows) / len(chosen) * len(clusters))
    back = np.argsort(np.concatenate([rows for rows, *_ in batches]), kind="stable")
    tops = np.concatenate([top for _, top, _ in batches], axis=1)[:, back]
    which = tuple(name for name, _ in finders)
    measures = {}
    for name in batches[0][2]:
        values = np.concatenate([measured[name] for *_, measured in batches], axis=1)[:, back]
        measures[name] = over_draws(np.where(known, values, np.nan), which)
    return Effects(
        chosen,
        labels[chosen],
        measures,
        tops[0],
        np.where(known, tops[1:], -1),
        which,
        logits / np.maximum(counts, 1)[:, None],
    )


def over_draws(
    values: Float[np.ndarray, "changes chosen"], which: Sequence[str]
) -> Float64[np.ndarray, "replacements chosen"]:
    """One line a replacement, several draws by their mean; NaN where one is not defined."""
    names = np.array(which)
    return np.stack([values[names == name].mean(0) for name in REPLACEMENTS])


def _nearest(
    own: Centroids,
    nearest: Int64[np.ndarray, "clusters"],
    row: int,
    labels: Int64[np.ndarray, "rows"],
) -> Float64[np.ndarray, "width"] | None:
    other = int(nearest[labels[row]])
    return None if other < 0 else own.without(row, label=other)


def _find_in_shuffled(
    shuffled: Centroids, labels: Int64[np.ndarray, "rows"]
) -> Callable[[int], Float64[np.ndarray, "width"] | None]:
    return lambda row: shuffled.without(row, label=int(labels[row]))


def _measures(reached: Reached, *, is_logits: bool) -> dict[str, Float64[np.ndarray, "changes chosen"]]:
    before, after = np.broadcast_to(reached.output[:1], reached.output[1:].shape), reached.output[1:]
    if not is_logits:
        return {"output_angle": angles(after, before)}
    kl, js = divergences(before, after)
    kept = (after.argmax(-1) == before.argmax(-1)).astype(np.float64)
    return {"kept_predictions": kept, "kl_divergence": kl, "js_divergence": js}


def effect_findings(
    effects: Effects,
    rows: Rows,
    partition: Partition,
    *,
    intervention: Intervention,
    levels: Mapping[str, Mapping[str, str]],
    top: int,
    resamples: int,
    streams: Streams,
) -> Findings:
    """Numbers, tables and notes of what replacing did.

    Args:
        effects: on the chosen members.
        rows: of the network and the layer.
        partition: whose clusters they are members of.
        intervention: that was made.
        levels: coarser groups of the classes, by level.
        top: outputs that are named for each cluster.
        resamples: of the examples, and as many shuffles of classes.
        streams: all randomness.
    """
    sizes = np.bincount(partition.labels[partition.labels >= 0])[: len(effects.logits)]
    is_logits = intervention.output_is == "logits"
    names = _names(rows, intervention) if is_logits else ()
    of_levels, notes = _measures_of_levels(effects, rows, levels if is_logits else {}, names)
    measures = {**effects.measures, **of_levels}
    numbers = _numbers(effects, rows, measures, sizes, resamples=resamples, streams=streams)
    tables = {"clusters": _cluster_table(effects, measures, sizes)}
    if is_logits:
        tables["logits"] = _logit_table(effects, sizes, names, top=top)
    if levels and rows.targets is not None:
        tables["levels"], purities = _level_table(
            rows, partition, levels, permutations=resamples, streams=streams
        )
        numbers |= purities
    missing = int(np.isnan(next(iter(effects.measures.values()))[0]).sum())
    if missing:
        notes.append(
            f"{missing} members are of clusters without rows of other examples: nothing replaced them."
        )
    if len(effects.logits) < partition.n_clusters:
        notes.append(f"The largest {len(effects.logits)} of {partition.n_clusters} clusters were looked at.")
    if not is_logits:
        notes.append("The output is no logits: the angle between outputs stands for predictions.")
    return Findings(numbers=numbers, tables=tables, notes=(intervention.where, *notes))


def _measures_of_levels(
    effects: Effects, rows: Rows, levels: Mapping[str, Mapping[str, str]], names: Sequence[str]
) -> tuple[dict[str, Float64[np.ndarray, "replacements chosen"]], list[str]]:
    """Whether predictions stay within their group at each level, and notes on levels that say nothing."""
    measures: dict[str, Float64[np.ndarray, "replacements chosen"]] = {}
    notes: list[str] = []
    for level, groups in levels.items():
        group = np.array([groups[name] for name in rows.classes] + [""])
        if tuple(names) != rows.classes:
            notes.append(f"The network's outputs are not the classes: '{level}' says nothing of predictions.")
            continue
        same = (group[effects.after] == group[effects.before]).astype(np.float64)
        known = np.where(effects.after >= 0, same, np.nan)
        measures[f"kept_{level}"] = over_draws(known, effects.which)
    return measures, notes


def _numbers(
    effects: Effects,
    rows: Rows,
    measures: Mapping[str, Float64[np.ndarray, "replacements chosen"]],
    sizes: Int64[np.ndarray, "clusters"],
    *,
    resamples: int,
    streams: Streams,
) -> dict[str, Number]:
    """The mean of each measure for each replacement; clusters count by their size."""
    blocks = Blocks.of(rows.origins.block[effects.chosen])
    drawn = np.bincount(effects.cluster, minlength=len(effects.logits))
    # However many members were drawn of each.
    weights = (sizes / np.maximum(drawn, 1))[effects.cluster]
    numbers: dict[str, Number] = {}
    for measure, values in measures.items():
        means, intervals, _ = mean_intervals(
            values.T,
            blocks=blocks,
            resamples=resamples,
            streams=streams,
            weights=weights,
            shares=range(len(REPLACEMENTS)) if measure.startswith("kept_") else (),
        )
        for replacement, mean, interval in zip(REPLACEMENTS, means, intervals, strict=True):
            if not np.isfinite(mean):
                continue
            own = replacement == OWN
            chance = means[REPLACEMENTS.index(RANDOM)] if own else np.nan
            numbers[metric_name(measure, *(() if own else (replacement,)))] = Number(
                float(mean),
                interval.low,
                interval.high,
                interval.meaning,
                chance=float(chance) if np.isfinite(chance) else None,
                chance_is="clusters shuffled over examples, mean over shuffles" if own else "",
                unit=_UNITS.get(measure, ""),
            )
    return numbers


def _names(rows: Rows, intervention: Intervention) -> tuple[str, ...]:
    """What each output stands for."""
    width = intervention.flow.layers["output"].width
    if rows.tokens is not None:
        known = rows.tokens.vocabulary
        return tuple(known[k] if k < len(known) else f"token {k}" for k in range(width))
    return output_names(intervention.probed.network, rows, width)


def _cluster_table(
    effects: Effects,
    measures: Mapping[str, Float64[np.ndarray, "replacements chosen"]],
    sizes: Int64[np.ndarray, "clusters"],
) -> pd.DataFrame:
    lines = []
    for cluster in range(len(effects.logits)):
        own = effects.cluster == cluster
        line: dict[str, object] = {
            "cluster": cluster,
            "size": int(sizes[cluster]),
            "replaced": int(own.sum()),
        }
        for measure, values in measures.items():
            for replacement, row in zip(REPLACEMENTS, values, strict=True):
                known = row[own][np.isfinite(row[own])]
                line[f"{measure}_{replacement}"] = float(known.mean()) if len(known) else np.nan
        lines.append(line)
    return pd.DataFrame(lines)


def _logit_table(
    effects: Effects, sizes: Int64[np.ndarray, "clusters"], names: Sequence[str], *, top: int
) -> pd.DataFrame:
    """The outputs that stand out in each cluster: all where there are few, else the highest."""
    overall = np.average(effects.logits, axis=0, weights=sizes)
    above = effects.logits - overall
    shown = len(names) if len(names) <= 30 else top
    lines = []
    for cluster, values in enumerate(above):
        for rank, output in enumerate(np.argsort(-values, kind="stable")[:shown]):
            lines.append(
                {
                    "cluster": cluster,
                    "rank": rank,
                    "output": int(output),
                    "name": names[output],
                    "mean_logit": effects.logits[cluster, output],
                    "above_all_clusters": values[output],
                }
            )
    return pd.DataFrame(lines)


def _level_table(
    rows: Rows,
    partition: Partition,
    levels: Mapping[str, Mapping[str, str]],
    *,
    permutations: int,
    streams: Streams,
) -> tuple[pd.DataFrame, dict[str, Number]]:
    """Purity of the clusters at each level, beside classes shuffled over examples."""
    targets, blocks = np.asarray(rows.targets), Blocks.of(rows.origins.block)
    lines, numbers = [], {}
    every = {"class": {name: name for name in rows.classes}, **levels}
    for level, groups in every.items():
        _, coarse = np.unique([groups[name] for name in rows.classes], return_inverse=True)
        own = coarse.astype(np.int64)[targets]
        value = purity(partition.labels, own)
        if value is None:
            continue
        null = class_null(
            partition.labels, own, blocks=blocks, permutations=permutations, streams=streams.child(level)
        )
        chance = float(null.purity.mean())
        lines.append(
            {"level": level, "groups": int(coarse.max()) + 1, "purity": value, "purity_chance": chance}
        )
        numbers[metric_name("purity", level)] = Number(
            value, chance=chance, chance_is=f"mean of {permutations} shuffles of classes over examples"
        )
    return pd.DataFrame(lines), numbers
