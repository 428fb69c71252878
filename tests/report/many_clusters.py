"""A report of as many clusters as one likes, with everything that an opened card shows."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from PIL import Image

from polylens.records import NOISE, ClusterLabel, Context, Number, TokenContext, Verdict
from polylens.report import (
    ClusterCard,
    ClusterCards,
    ClusteredText,
    MedoidCode,
    Neighbour,
    PeopleSaid,
    PeopleTable,
    PictureLine,
    PictureSheet,
    Piece,
    Report,
)

_WORDS = ("cat", "dog", "wheel", "sky", "grass", "house", "letter", "river")


@cache
def shade(number: int) -> bytes:
    """A small picture that no other number has."""
    generator = np.random.default_rng(number)
    corners = generator.integers(0, 255, (3, 3, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(corners).resize((48, 48), Image.Resampling.BICUBIC).save(stream, "PNG")
    return stream.getvalue()


def cards_of(n_clusters: int, *, is_text: bool = False) -> ClusterCards:
    """Clusters of falling size: label, share and lift go through all values in an order of their own."""
    cards = []
    for number in range(n_clusters):
        share = (7 * number % 100) / 100
        above = number % 3 != 2
        word = _WORDS[number % len(_WORDS)]
        label = ClusterLabel(number, f"{word} {number}", 40, share, 1 + share, 1.5, 0.01, above)
        shown = tuple(
            TokenContext(f"book {i}", "It is said of ", f"{word}{number}", " that it sleeps.")
            if is_text
            else Context(f"{word} {number}, picture {i}", shade((number * 4 + i % 4) % 500))
            for i in range(8)
        )
        cards.append(
            ClusterCard(
                number,
                10 + n_clusters - number,
                label,
                shown,
                shown[:4],
                persistence=(number % 10) / 10,
                nearest=tuple(Neighbour((number + k) % n_clusters, 0.5 * k) for k in range(1, 4)),
                code=MedoidCode(bytes((255 * ((number >> k) & 1)) for k in range(64)), "12 of 64 bits on"),
                people=(("anna", "one"), ("ben", "several")) if is_text else (),
            )
        )
    return ClusterCards(
        "clusters",
        tuple(cards),
        "Made by hand.",
        noise=cards[0].random,
        noise_size=9,
        distance_is="Euclidean distance",
        of_controls={"share": {"random_init": (0.1, 0.5, 0.9)}, "lift": {"random_init": ()}},
        text=text(n_clusters) if is_text else None,
    )


def text(n_clusters: int) -> ClusteredText:
    """A text whose tokens are of each cluster in turn, of noise, and of none."""
    numbers = [k % (n_clusters + 2) for k in range(120)]
    pieces = (
        Piece(f"word{k}", number if number < n_clusters else NOISE if number == n_clusters else None, gap=" ")
        for k, number in enumerate(numbers)
    )
    return ClusteredText("book 1", tuple(pieces))


def people() -> PeopleSaid:
    """What two people said, with a number that is not known."""
    one = Number(0.5, 0.2, 0.8, "90 % interval")
    lines = ((("anna", "9, 3, 0"), one), (("ben", "too few"), None))
    table = PeopleTable("Tally", ("who", "one, several, unclear", "one meaning"), lines)
    return PeopleSaid("2 people judged 12 of 30 clusters", (table,))


def pictures() -> PictureSheet:
    """The pictures of a sheet for people."""
    shown = tuple(Context(f"picture {number}", shade(number)) for number in range(12))
    lines = tuple(PictureLine(name, "cluster 3, 40 rows", shown) for name in ("bdfghjkmnp", "qrtvwxzbdf"))
    return PictureSheet("a run: clusters", lines, names=True)


def many(n_clusters: int, *, is_text: bool = False) -> Report:
    """The report of one partition, with a claim that is decided."""
    return Report(
        title=f"{n_clusters} clusters",
        claim="Clusters mean one thing.",
        verdict=Verdict("refuted", "quality/purity <= 0.5", "quality/purity is 0.4 [0.3, 0.45]."),
        clusters=(cards_of(n_clusters, is_text=is_text),),
        people=(people(),) if is_text else (),
        spec="seed: 0\n",
    )
