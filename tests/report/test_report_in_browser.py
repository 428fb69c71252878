"""A report of 600 clusters in a browser: chosen, sorted, opened by keyboard, dark, on a phone, unscripted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.browsing import barriers, emulate
from tests.report.many_clusters import many, pictures

from polylens.report.page import render, render_pictures

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pages of 600 clusters of pictures, of 30 of a text that people judged, and of a sheet."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "many.html").write_text(render(many(600)), encoding="utf-8")
    (folder / "text.html").write_text(render(many(30, is_text=True)), encoding="utf-8")
    (folder / "sheet.html").write_text(render_pictures(pictures()), encoding="utf-8")
    return folder


@pytest.fixture
def clusters(pages: Path, browser: Chrome) -> Chrome:
    """The page of 600 clusters, opened."""
    emulate(browser, 1280)
    browser.get((pages / "many.html").as_uri())
    return browser


def choose(browser: Chrome, **values: str) -> None:
    """Fills fields of the form above the clusters, as by hand."""
    browser.execute_script(
        """
        const form = document.querySelector('.tools');
        for (const [name, value] of Object.entries(arguments[0])) {
          form.elements[name].value = value;
          form.elements[name].dispatchEvent(new Event('input', { bubbles: true }));
        }
        """,
        values,
    )


def numbers(browser: Chrome) -> list[int]:
    """Numbers of the clusters that are shown, in their order."""
    shown = browser.execute_script("return [...document.querySelectorAll('.cards .card')].map(c => c.id)")
    return [int(each.removeprefix("p1-")) for each in shown]


def count(browser: Chrome) -> str:
    return str(browser.execute_script("return document.querySelector('.tools output').textContent"))


def css(browser: Chrome, selector: str) -> Any:
    return browser.find_element("css selector", selector)


def test_six_hundred_clusters_are_one_small_file_with_one_sheet_of_pictures(pages: Path) -> None:
    page = (pages / "many.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 10_000_000
    assert page.count("url(data:image/webp") == 1
    assert page.count('<article class="card') == 600 + 1, "every cluster, and the noise"


def test_clusters_are_shown_page_by_page(clusters: Chrome) -> None:
    assert numbers(clusters) == list(range(24))
    assert count(clusters) == "600 clusters, the first 24 shown"
    css(clusters, "[name=more]").click()
    assert numbers(clusters) == list(range(48))
    css(clusters, "[name=all]").click()
    assert len(numbers(clusters)) == 600
    assert not css(clusters, ".pages").is_displayed()


def test_clusters_are_found_by_label_by_number_and_by_what_examples_are_called(clusters: Chrome) -> None:
    choose(clusters, q="wheel 10,")
    assert numbers(clusters) == [10]
    choose(clusters, q="  CLUSTER   599")
    assert numbers(clusters) == [599], "those that it is among the nearest of are not meant"
    choose(clusters, q="no such thing")
    assert count(clusters) == "0 of 600 clusters"
    css(clusters, "[name=again]").click()
    assert count(clusters) == "600 clusters, the first 24 shown"


def test_clusters_are_chosen_by_label_size_and_score_and_sorted_by_each(clusters: Chrome) -> None:
    # Shares are 7 n mod 100; the label of every third cluster is within chance, and those have no name.
    choose(clusters, verdict="fits")
    expected = [n for n in range(600) if n % 3 != 2 and 7 * n % 100 > 50]
    assert count(clusters).startswith(f"{len(expected)} of 600")
    assert numbers(clusters) == expected[:24]
    choose(clusters, least="510")
    assert count(clusters).startswith(f"{sum(n <= 100 for n in expected)} of 600")
    choose(clusters, verdict="", least="", score="lift", **{"from": "1.97"})
    assert all(7 * n % 100 >= 97 for n in numbers(clusters))
    choose(clusters, **{"from": ""}, sort="share")
    assert numbers(clusters)[:3] == [0, 100, 200], "of equal ones the larger first"
    choose(clusters, sort="-share")
    assert numbers(clusters)[0] == 57
    choose(clusters, sort="label")
    labels = clusters.execute_script(
        "return [...document.querySelectorAll('.cards h4')].map(h => h.innerText)"
    )
    assert labels[:2] == ["cat 24", "cat 40"], "by number within a word, and the unnamed behind them"


def test_what_was_chosen_is_in_the_address_and_comes_back_with_it(clusters: Chrome, pages: Path) -> None:
    choose(clusters, verdict="mixed", q="sky", sort="-lift")
    seen, address = numbers(clusters), clusters.current_url
    assert address.endswith("#view-p1?q=sky&verdict=mixed&sort=-lift")
    clusters.get("about:blank")
    clusters.get(address)
    assert numbers(clusters) == seen
    assert css(clusters, "[name=q]").get_property("value") == "sky"


def test_a_card_opens_by_keyboard_with_examples_controls_neighbours_and_code(clusters: Chrome) -> None:
    summary = css(clusters, "#p1-0 summary")
    assert summary.accessible_name == "More of cluster 0"
    summary.send_keys("\ue007")
    card = css(clusters, "#p1-0").text
    for said in ("More central", "Nearest medoids (Euclidean distance)", "Code of the medoid"):
        assert said in card
    assert "random init\n3 of 3 clusters reach it (median 0.50)" in card
    assert "random init\nno clusters" in card
    assert "12 of 64 bits on" in card
    assert css(clusters, "#p1-0 .code").size["height"] == 14
    tile = css(clusters, "#p1-0 .tile")
    assert tile.aria_role in ("img", "image")
    assert tile.accessible_name == "cat 0, picture 0"


def test_a_link_leads_to_a_card_that_is_not_shown(clusters: Chrome) -> None:
    choose(clusters, q="cluster 597")
    css(clusters, "#p1-597 summary").click()
    css(clusters, '#p1-597 a[href="#p1-599"]').click()
    active = clusters.switch_to.active_element
    assert active.text == "no name"
    assert css(clusters, "#p1-599 .opened").get_property("open")
    assert css(clusters, "[name=q]").get_property("value") == "", "what hid it is taken back"
    assert clusters.current_url.endswith("#p1-599")


def test_a_link_leads_into_the_middle_of_all_cards_that_are_shown(clusters: Chrome) -> None:
    """Cards far from the window are not laid out before."""
    css(clusters, "[name=all]").click()
    clusters.execute_async_script("location.hash = '#p1-444'; setTimeout(arguments[0], 300)")
    assert clusters.switch_to.active_element.find_element("xpath", "ancestor::article").get_dom_attribute(
        "id"
    ) == ("p1-444")
    top = "return document.querySelector('#p1-444').getBoundingClientRect().top"
    assert 0 <= clusters.execute_script(top) < 300


def test_the_theme_is_switched_by_a_button(clusters: Chrome) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    light, button = clusters.execute_script(ground), css(clusters, ".theme")
    assert button.text == "Dark"
    button.click()
    assert clusters.execute_script(ground) != light
    emulate(clusters, 1280, dark=True)
    assert button.text == "Light"
    button.click()
    assert clusters.execute_script(ground) == light


def test_the_spec_is_copied(clusters: Chrome) -> None:
    clusters.execute_script("document.querySelector('#provenance details').open = true")
    button = css(clusters, ".copy")
    assert button.text == "Copy"
    button.click()
    assert clusters.execute_async_script(
        "const done = arguments[0]; setTimeout(() => done(document.querySelector('.copy').textContent), 300)"
    ).startswith(("Copied", "Selected"))


def test_a_text_shows_the_cluster_of_each_token_by_more_than_colour(pages: Path, browser: Chrome) -> None:
    emulate(browser, 390)
    browser.get((pages / "text.html").as_uri())
    tokens = browser.find_elements("css selector", ".tokens .token")
    assert len(tokens) == 117, "120 words, of which three are no rows"
    assert tokens[3].get_property("title") == "cluster 3: mixed, more sky 3"
    assert tokens[30].get_property("title") == "noise"
    line = "return getComputedStyle(arguments[0]).borderBottomStyle"
    assert [browser.execute_script(line, token) for token in (tokens[3], tokens[30])] == ["solid", "dotted"]
    css(browser, ".text input").click()
    after = "return getComputedStyle(arguments[0], '::after').content"
    assert browser.execute_script(after, tokens[3]) == '"3"'
    css(browser, '.legend a[href="#p1-29"]').click()
    assert css(browser, "#p1-29 .opened").get_property("open")


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1600, True)])
@pytest.mark.parametrize("name", ["many", "text", "sheet"])
def test_nobody_is_kept_out(name: str, width: int, dark: bool, pages: Path, browser: Chrome) -> None:
    emulate(browser, width, dark=dark)
    browser.get((pages / f"{name}.html").as_uri())
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    assert barriers(browser) == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]


def test_without_script_every_cluster_can_be_read(pages: Path, browser: Chrome) -> None:
    emulate(browser, 1280)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get((pages / "many.html").as_uri())
        assert not css(browser, ".tools").is_displayed()
        assert not css(browser, ".theme").is_displayed()
        rest = css(browser, ".rest summary")
        assert rest.text == "576 more clusters"
        rest.click()
        assert css(browser, "#p1-599").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_clusters_are_chosen_inside_of_a_frame_as_mlflow_shows_pages_in(pages: Path, browser: Chrome) -> None:
    # Its scripts may run, and have no right to the address.
    frame = "<iframe src=many.html sandbox=allow-scripts style='width:1000px;height:800px'></iframe>"
    (pages / "framed.html").write_text(f"<!DOCTYPE html><body>{frame}", encoding="utf-8")
    emulate(browser, 1280)
    browser.get((pages / "framed.html").as_uri())
    browser.switch_to.frame(0)
    choose(browser, verdict="mixed", q="sky", sort="-lift")
    assert count(browser) == "26 of 600 clusters, the first 24 shown"
    assert numbers(browser)[:2] == [307, 507]
