"""`catchment key`: the master key, its versions, and when one of them may go."""

from typing import Annotated

import typer

from app import key_files
from app.commands.hubs import hub_with_any_keys, open_hub
from app.commands.listings import echo_table
from app.main import hub_of, read_settings
from app.services import keys
from app.store.sessions import read_session

app = typer.Typer(help="The master key and its versions.", no_args_is_help=True)


@app.command("new")
def new_key(
    version: Annotated[
        int,
        typer.Option(
            min=key_files.FIRST_VERSION,
            max=key_files.MOST_VERSIONS,
            help="A later one where the keys before it are lost.",
        ),
    ] = key_files.FIRST_VERSION,
) -> None:
    """Make a master key where there is none (CATCHMENT_MASTER_KEY_FILE)."""
    path = read_settings().master_key_file
    key_files.write_master_key(path, version=version)
    typer.echo(f"A new master key is in {path}; keep a copy outside the database")


@app.command("rotate")
def rotate_key() -> None:
    """
    Add a version to the key file, under which new names are made from now on.

    What is stored keeps its names, and is found by them; what a clinic sends again is
    named anew. Stop every server and worker before, and start them after.
    """
    open_hub()
    settings = read_settings()
    version = key_files.add_master(settings.master_key_file)
    keys.check_keys(hub_of(settings))
    typer.echo(
        f"Version {version} is in {settings.master_key_file}, and names are made under"
        " it from the next start on: start every server and worker again. Keep a copy"
        " of the file outside the database. Access tokens and members' links of before"
        " open nothing any more"
    )


@app.command("list")
def list_keys() -> None:
    """List versions: state, since when, names, records, and blocks of the erased."""
    hub = hub_with_any_keys()
    with read_session(hub.engine) as session:
        listed = keys.lines(session, hub)
    echo_table(keys.Line, listed)


@app.command("retire")
def retire_key(
    version: Annotated[int, typer.Argument(help="The version that is to go.")],
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Though something is known by it: records that nothing else names can "
            "be matched no more. They are dropped, and must be collected again; and "
            "people who were erased under it would be taken again.",
        ),
    ] = False,
) -> None:
    """Take a version out of the key file and of use, once nothing is known by it."""
    hub = hub_with_any_keys()
    dropped = keys.retire(hub, version, force=force)
    key_files.drop_master(read_settings().master_key_file, version)
    keys.check_keys(hub_of(read_settings()))
    typer.echo(f"Key version {version} is retired")
    if dropped:
        typer.echo(f"Records dropped, to be collected again: {dropped:,}")
