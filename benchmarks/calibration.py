"""Do intervals, levels and leads say what they mean? Data with a known truth, drawn again and again.

    python benchmarks/calibration.py [--rounds 200]

Prints tables with two columns: *before*, as was done up to an audit of the scores (bootstrap of shares,
sizes by rank, noise as a class, one level a partition, copies apart), and *now*, by the package. The old ways
are written out here and live nowhere else.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from polylens.statistics import (
    Blocks,
    Shares,
    above_the_rest,
    adjusted_mutual_information,
    common_bins,
    contingency,
    dealt_sizes,
    enrich,
    information_agreement,
    matched_members,
    matched_ratio,
    purity,
    standardise,
)
from polylens.streams import Streams

Line = tuple[str, object, object]


def shares(rounds: int) -> Iterator[Line]:
    """How often 90 % intervals of a share hold it: the bootstrap over examples, and `Shares`."""
    for share in (0.5, 0.95, 0.99):
        for examples, most, together in (
            (12, 1, 0.0),
            (60, 1, 0.0),
            (12, 6, 0.5),
            (60, 20, 0.5),
            (300, 5, 0.2),
        ):
            rng = np.random.default_rng(0)
            held = np.zeros((2, rounds))
            for number in range(rounds):
                sizes = rng.integers(1, most + 1, examples)
                own = np.full(examples, share)
                if together:
                    own = rng.beta(share * (1 / together - 1), (1 - share) * (1 / together - 1), examples)
                example = np.repeat(np.arange(examples), sizes)
                hits = rng.random(len(example)) < own[example]
                sums, counts = np.bincount(example, hits), np.bincount(example)
                times = rng.multinomial(examples, np.full(examples, 1 / examples), 200)
                drawn = (times @ sums) / (times @ counts)
                (low,), (high,) = Shares.of(hits, example=example).limits()
                limits = (np.quantile(drawn, [0.05, 0.95]), (low, high))
                held[:, number] = [one <= share <= other for one, other in limits]
            what = f"{examples} examples of 1 to {most} rows, share {share}, dependence {together}"
            yield what, *held.mean(1).round(2).tolist()


def leads(rounds: int) -> Iterator[Line]:
    """The lead of clusters over a basis of one class a direction, of unequal lengths: it should be 0."""
    for sizes in ([60] * 6, [200, 90, 40, 15, 6], [300, 30, 30, 12, 12]):
        for noise in (0.0, 0.1, 0.3):
            found = []
            for seed in range(min(rounds, 50)):
                rng = np.random.default_rng(seed)
                classes = np.repeat(np.arange(len(sizes)), sizes)
                points = np.eye(len(sizes))[classes] + noise * rng.normal(size=(len(classes), len(sizes)))
                clusters = points.argmax(1)
                clusters = np.argsort(
                    np.argsort(-np.bincount(clusters, minlength=len(sizes)), kind="stable")
                )[clusters]
                along = (points * rng.uniform(0.5, 2, len(sizes)))[:, rng.permutation(len(sizes))]
                along = along[:, np.argsort(-along.var(0))]
                scores = standardise(along.astype(np.float32)).astype(np.float64)
                by_rank = np.bincount(clusters, minlength=len(sizes))
                dealt = dealt_sizes(scores, clusters, generator=rng)
                old = matched_members(scores, by_rank, generator=rng)
                new = matched_members(above_the_rest(scores, dealt), dealt, generator=rng)
                own = purity(clusters, classes)
                found.append((own - purity(old, classes), own - purity(new, classes)))
            yield f"classes of {sizes} rows, noise {noise}", *np.mean(found, axis=0).round(3).tolist()


def noise_as_a_class(rounds: int) -> Iterator[Line]:
    """Agreement of clusters with ten classes where some rows are noise, of whole classes or of all alike."""
    del rounds
    classes = np.repeat(np.arange(10), 100)
    for lost in (1, 3):
        whole = np.where(classes < lost, -1, classes - lost)
        even = np.where(np.arange(1000) % 100 < 10 * lost, -1, classes)
        for what, labels in (("whole classes", whole), ("every class alike", even)):
            before = adjusted_mutual_information(contingency(labels, classes))
            yield (
                f"{10 * lost} % noise, {what}",
                round(before, 3),
                round(information_agreement(labels, classes), 3),
            )


def dependent_rows(rounds: int) -> Iterator[Line]:
    """Agreement without meaning where rows of a document go together: what was called chance, and what is."""
    for rows in (1, 6, 40, 200):
        found = []
        for seed in range(min(rounds, 30)):
            rng = np.random.default_rng(seed)
            example = np.repeat(np.arange(60), rows)
            labels, classes = rng.integers(0, 8, 60)[example], rng.integers(0, 6, 60)[example]
            found.append(information_agreement(labels, classes))
        yield f"60 documents of {rows} rows", 0.0, round(float(np.mean(found)), 3)


def overlaps(rounds: int) -> Iterator[Line]:
    """Matched ratios where there is no difference: mean and deviation at each overlap of the distances."""
    for shift in (0.5, 2.0, 3.0, 3.5, 4.5, 6.0):
        ratios, overlap, kept = [], [], 0
        for seed in range(rounds):
            rng = np.random.default_rng(seed)
            distances = rng.normal(8, 1, 500), rng.normal(8 + shift, 1, 500)
            density = [(each**-0.5 * (1 + 0.3 * rng.normal(size=500)))[:, None] for each in distances]
            bins = common_bins(*distances, bins=20)
            if bins is not None:
                overlap.append(bins.overlap())
                ratios.append(float(matched_ratio(bins, *density)[0]))
                kept += bins.can_match
        yield (
            f"overlap {np.mean(overlap):.2f}",
            f"{np.nanmean(ratios):.3f} +- {np.nanstd(ratios):.3f}",
            f"given in {kept} of {rounds}",
        )


def names_by_chance(rounds: int) -> Iterator[Line]:
    """How often anything is above chance at 5 % where nothing means anything."""
    count = min(rounds, 60)
    layers = np.zeros(2)
    for seed in range(count):
        least = min(_p_values(seed, layer, rounds=480).min(initial=1.0) for layer in range(12))
        layers += [least <= 0.05, 12 * least <= 0.05]
    yield "12 independent layers", *(layers / count).round(3).tolist()
    for copied in (0.3, 1.0):
        found = np.zeros(2)
        for seed in range(count):
            found += [
                _p_values(seed, 0, rounds=199, copied=copied, as_one=as_one).min(initial=1.0) <= 0.05
                for as_one in (False, True)
            ]
        yield f"{copied * 100:.0f} % of examples copied", *(found / count).round(3).tolist()


def _p_values(seed: int, layer: int, *, rounds: int, copied: float = 0.0, as_one: bool = True) -> np.ndarray:
    rng = np.random.default_rng([seed, layer])
    content = np.concatenate([np.arange(100), np.arange(round(100 * copied))])
    labels, classes = rng.integers(-1, 8, 100)[content], rng.integers(0, 5, 100)[content]
    found = enrich(
        labels,
        classes,
        blocks=Blocks.of(content if as_one else np.arange(len(content))),
        n_classes=5,
        holdout=0.5,
        permutations=rounds,
        streams=Streams(seed).child(layer),
    )
    return found.p_values


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=200, help="draws of each setting")
    rounds = parser.parse_args().rounds
    for simulate in (shares, leads, noise_as_a_class, dependent_rows, overlaps, names_by_chance):
        print(f"\n{simulate.__doc__}\n\n| setting | before | now |\n| --- | --- | --- |")
        for line in simulate(rounds):
            print("| " + " | ".join(map(str, line)) + " |", flush=True)


if __name__ == "__main__":
    main()
