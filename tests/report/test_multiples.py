"""Small pictures of numbers over what was swept."""

from __future__ import annotations

from polylens.records import Mark
from polylens.report import Dot, Multiple
from polylens.report.multiples import panel_of

MARKS = {"network": Mark("#0b5fa5", "o"), "random_init": Mark("#c9620a", "s")}


def multiple(places: tuple[str, ...] = ("a", "b"), **dots: tuple[Dot, ...]) -> Multiple:
    return Multiple("quality: purity", "layer", places, dots, MARKS)


def test_dots_stand_at_their_place_and_height_and_lines_join_means_over_seeds() -> None:
    network = (Dot("a", 1.0), Dot("a", 0.5), Dot("b", 0.0, 0.0, 0.5, "there"))
    (series,) = panel_of(multiple(network=network)).series
    # From 38 to 300 there are two places, in the middles of 131 each; 1 is at 10 and 0 at 150.
    assert [(point.x, point.y) for point in series.points] == [(103.5, 10.0), (103.5, 80.0), (234.5, 150.0)]
    assert (series.points[2].low, series.points[2].high) == (150.0, 80.0)
    assert series.points[2].report == "there"
    assert series.line == "103.5,45.0 234.5,150.0"


def test_variants_stand_beside_each_other_in_their_own_colours_and_shapes() -> None:
    panel = panel_of(
        multiple(network=(Dot("a", 0.5),), random_init=(Dot("a", 0.5),), foreign=(Dot("b", 0.5),))
    )
    network, control, foreign = panel.series
    assert network.points[0].x < control.points[0].x
    assert (network.colour, control.colour) == ("#0b5fa5", "#c9620a")
    assert len({network.shape, control.shape}) == 2
    assert foreign.colour, "what has no mark is drawn all the same"


def test_numbers_that_are_no_shares_have_a_scale_of_their_own() -> None:
    panel = panel_of(multiple(network=(Dot("a", -3.0), Dot("b", 12.0))))
    # Fifteen in steps of a fifth of it at most: 5.
    assert [name for _, name in panel.ticks] == ["-5", "0", "5", "10", "15"]
    assert all(10 <= point.y <= 150 for point in panel.series[0].points)


def test_long_names_of_places_are_slanted_and_have_room() -> None:
    short, long = (
        panel_of(multiple((name, "b"), network=(Dot(name, 0.5),))) for name in ("a", "encoder.layer.11")
    )
    assert not short.slanted
    many = tuple(f"encoder.layer.{number}" for number in range(6))
    assert panel_of(multiple(many, network=(Dot(many[0], 0.5),))).slanted
    assert long.height >= short.height


def test_a_panel_says_in_words_what_it_shows() -> None:
    panel = panel_of(multiple(network=(Dot("a", 0.5, 0.4, 0.6),), random_init=(Dot("b", 0.25),)))
    said = "quality: purity over layer. network: a 0.50 [0.40, 0.60]. random init: b 0.25."
    assert panel.in_words == said
