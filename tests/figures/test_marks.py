"""Controls bring the colour and the shape that they are drawn by; the figures know none of them."""

from __future__ import annotations

from polylens.figures import use_marks
from polylens.figures.style import variant_style
from polylens.plugin import kinds, load_kind
from polylens.records import Mark

RED = Mark("#ff0000", "s")


def test_a_variant_is_shown_by_the_mark_of_its_control_and_others_by_quiet_ones() -> None:
    names = ["network", "inits", "mine", "yours", "raw_inputs"]
    without = [variant_style(name, names) for name in names]
    assert len(set(without)) == 5
    with use_marks({"inits": RED}):
        within = [variant_style(name, names) for name in names]
    assert within[1] == ("#ff0000", "s")
    assert within[0] == without[0]
    assert within[2] == without[1], "the first quiet one goes to the first that has none"
    assert [variant_style(name, names) for name in names] == without


def test_no_mark_replaces_that_of_the_network() -> None:
    with use_marks({"network": RED}):
        assert variant_style("network", ["network"])[0] != "#ff0000"


def test_no_two_shipped_controls_look_alike() -> None:
    marks = [load_kind("controls", kind).mark for kind in kinds("controls")]  # type: ignore[attr-defined]
    told = [mark for mark in marks if mark is not None]
    assert len(told) >= 4
    assert len({mark.colour for mark in told}) == len({mark.marker for mark in told}) == len(told)
