"""`polylens layers`: the layers of a spec's network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from polylens.study.layers import Layers


@click.command("layers", short_help="List the layers of a spec's network.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one value.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(spec: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """List what `layer:` of a spec can name: each layer with its width, its positions and its kinks.

    The network is built without its weights and sees one input; no rows are computed. The layer that the spec
    names is marked, and need not exist. Beside a layer stand the nonlinearities whose outputs it is, or the
    one that it is fed to: a code of its own units is of these.
    """
    from polylens.errors import SpecError
    from polylens.spec import load
    from polylens.study.layers import layers_of

    is_right = True
    try:
        study = load(spec, overrides=overrides)
    except SpecError as error:
        if any(problem.path.partition(".")[0] != "layer" for problem in error.problems):
            raise
        study = load(spec, overrides=(*overrides, "layer=input"))
        is_right = False
    networks = layers_of(study, marked=is_right)
    if as_json:
        click.echo(json.dumps({"networks": [layers.to_plain() for layers in networks]}, ensure_ascii=False))
        return
    for number, layers in enumerate(networks):
        if number:
            click.echo()
        _show(layers)


def _show(layers: Layers) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console()
    console.print(Text(layers.model, style="bold").append(f": {len(layers)} layers", style="not bold"))
    cells = [
        (
            f"{'>' if layer.is_asked_for else ' '} {layer.name}",
            ", ".join(layer.aliases),
            f"{layer.width:,}",
            " x ".join(map(str, layer.grid)),
            "; ".join(dict.fromkeys(item.in_words for item in layer.nonlinearities)),
        )
        for layer in layers
    ]
    titles = ("  layer", "alias", "width", "positions", "kinks")
    filled = [index for index in range(5) if any(row[index] for row in cells)]
    widths = {index: max(len(row[index]) for row in (titles, *cells)) for index in filled}
    for row in (titles, *cells):
        line = "  ".join(
            f"{row[index]:>{widths[index]}}" if index in (2, 3) else f"{row[index]:<{widths[index]}}"
            for index in filled
        )
        console.print(Text(line.rstrip(), style="bold" if row is titles else ""), soft_wrap=True)
    for name, why in layers.unusable.items():
        console.print(Text(f"  {name}: no layer, {why}", style="dim"), soft_wrap=True)
