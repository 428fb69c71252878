"""`polylens schema`: the grammar as JSON Schema, for editors."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(short_help="Write the JSON Schema for editors.")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write to. Default: registry/schema of this project.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the schema of specs and write nothing.")
def command(folder: Path | None, as_json: bool) -> None:
    """Write the JSON Schema of specs and of registry entries, with the names and kinds that exist here.

    An editor with a YAML language server completes and checks a spec that begins with the line
    # yaml-language-server: $schema=../../registry/schema/experiment.schema.json
    """
    from polylens.catalog import Catalog
    from polylens.spec.schema import schemas

    made = schemas(Catalog.around(Path.cwd()))
    if as_json:
        click.echo(json.dumps(made["experiment.schema.json"], ensure_ascii=False))
        return
    target = _project_folder() if folder is None else folder
    target.mkdir(parents=True, exist_ok=True)
    for name, schema in made.items():
        (target / name).write_text(schema_text(schema), encoding="utf-8")
    click.echo(f"wrote {len(made)} schemas to {target}")


def schema_text(schema: dict[str, object]) -> str:
    """A schema as the text of its file."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _project_folder() -> Path:
    from polylens.catalog import project_registry

    registry = project_registry(Path.cwd())
    return (Path("registry") if registry is None else registry) / "schema"
