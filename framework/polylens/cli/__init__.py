"""The command line: one file a verb, loaded only when it is called. Every error becomes an exit code here.

Exit codes: 0 done, 1 failed while running, 2 bad spec or usage, 3 some children failed, 4 done and not all
of it in MLflow, 130 interrupted.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence

import click

from polylens.cli.complaints import show_error, show_unexpected
from polylens.errors import PolylensError, nearest
from polylens.leaving import leave_with
from polylens.memory import own_process

VERBS = {
    "run": "Run specs; the same command again continues or finds everything done.",
    "validate": "Find every mistake in specs, without running anything.",
    "plan": "Show the stages of a spec and what is already stored.",
    "layers": "List the layers of a spec's network, with shapes and kinks.",
    "show": "Show a spec with every name looked up and every default filled in.",
    "compare": "Set past runs side by side: specs, numbers, and where rows went.",
    "ls": "List registry entries and kinds.",
    "describe": "Explain one registry entry or kind, with all its keys.",
    "new": "Write a commented file to start from.",
    "schema": "Write the JSON Schema that editors complete and check specs with.",
    "report": "Show the page of a past run.",
    "label": "Have people label and judge the clusters of a past run.",
    "store": "List, check and clear the store of results.",
    "rm": "Remove a run from MLflow.",
    "doctor": "Check this installation, the store and the tracker.",
    "ui": "Open MLflow's own page with this project's results.",
}
"""Every verb with its line in `polylens --help`; each is a file of this folder with a `command` in it."""
FAILED, USAGE, INTERRUPTED = 1, 2, 130
_TRACEBACK = "polylens.traceback"


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"polylens.cli.{cmd_name}").command
        members = [*command.commands.values()] if isinstance(command, click.Group) else []
        for each in (command, *members):
            if not any(parameter.name == "traceback" for parameter in each.params):
                each.params.append(_traceback_option())
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS:
            near = nearest(args[0], list(VERBS))
            hint = f"; did you mean '{near}'?" if near else ""
            raise click.UsageError(f"no verb '{args[0]}'{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the verbs without loading any of them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


def _remember_traceback(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        ctx.find_root().meta[_TRACEBACK] = True


def _traceback_option() -> click.Option:
    return click.Option(
        ["--traceback"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_remember_traceback,
        help="Show Python's stack trace when something fails.",
    )


def _print_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"polylens {version('polylens')}")
        ctx.exit()


GROUP = _Verbs(
    "polylens",
    help="Experiments for the polytope lens: a YAML spec in; clusters, labels and figures in MLflow out.",
    epilog="polylens VERB --help explains a verb.",
    subcommand_metavar="VERB ...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_version,
            help="Show the version and leave.",
        ),
        _traceback_option(),
    ],
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line.

    Args:
        arguments: what stands behind `polylens`; the process's own arguments if not given.

    Returns:
        The exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = GROUP.main(args=given or ["--help"], prog_name="polylens", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Abort:
        return _end_interrupted()
    except KeyboardInterrupt:
        return _end_interrupted()
    except click.ClickException as error:
        error.show()
        return USAGE if isinstance(error, click.UsageError) else error.exit_code
    except BrokenPipeError:
        # The reader of our output left, as `head` does; Python must not complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # the one place where nothing may get through
        if "--traceback" in given:
            traceback.print_exc()
        return show_error(error) if isinstance(error, PolylensError) else show_unexpected(error)


def program() -> None:
    """`polylens` as a process of its own: runs its command line, and ends with the exit code."""
    own_process()
    leave_with(main())


def _end_interrupted() -> int:
    click.echo("interrupted; the same command again continues", err=True)
    return INTERRUPTED
