"""A contract of import-linter's for the kinds of a family; `pyproject.toml` names it beside the others."""

from __future__ import annotations

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from importlinter.application import contract_utils


class Strangers(Contract):
    """What lies in a package, files or folders, imports nothing of what lies beside it.

    Names that begin with an underscore are shared: all that lies in the package may import them. They in
    turn, and the package itself, import no other names.
    """

    type_name = "strangers"

    packages = fields.ListField(subfield=fields.StringField())
    ignore_imports = fields.SetField(subfield=fields.ImportExpressionField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Finds imports across."""
        contract_utils.remove_ignored_imports_and_report(
            graph=graph,
            ignore_imports=self.ignore_imports,
            unmatched_alerting=contract_utils.AlertLevel.ERROR,
        )
        across = [
            f"{importer} -> {imported}"
            for package in self.packages
            for importer in sorted({package} | graph.find_descendants(package))
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if imported.startswith(f"{package}.")
            and (beside := _name_in(package, imported)) != _name_in(package, importer)
            and not beside.startswith("_")
        ]
        return ContractCheck(kept=not across, metadata={"across": across})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Says which imports."""
        for each in check.metadata["across"]:
            output.print_error(f"- {each}", bold=False)


def _name_in(package: str, module: str) -> str:
    """Name of the file or folder of the package that a module is in; empty for the package itself."""
    return module.removeprefix(package).removeprefix(".").partition(".")[0]
