# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat edition``: the core alone, without the desk. Nothing here imports Django."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from tamizdat.cli.common import dir_option, json_option, open_newsroom, print_json, say
from tamizdat.cli.edition_bundle import bundle
from tamizdat.cli.edition_reader import reader
from tamizdat.cli.edition_verify import verify
from tamizdat.config import ConfigError, PaperSettings
from tamizdat.edition.site import Site

_existing_folder = click.Path(path_type=Path, file_okay=False, exists=True)


@click.group()
def edition() -> None:
    """Build and serve the paper, without the desk."""


@edition.command()
@click.argument("stories", type=_existing_folder)
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--site",
    "site_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The site's configuration as JSON.  [default: site.json in STORIES]",
)
@click.option(
    "--media", type=_existing_folder, help="Photos and files.  [default: media in STORIES]"
)
@click.option("--tree/--no-tree", default=True, show_default=True, help="Keep plain files too.")
@click.option("--brotli", is_flag=True, help="Compress every page.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True)
@json_option
def build(
    stories: Path,
    out: Path,
    site_file: Path | None,
    media: Path | None,
    tree: bool,
    brotli: bool,
    workers: int,
    as_json: bool,
) -> None:
    """Build a whole paper in OUT from the ninjs items in STORIES.

    STORIES is a folder as "tamizdat export" writes it: ninjs items as .json or .jsonl files.
    """
    from tamizdat.cli.media_folder import MediaFolder
    from tamizdat.cli.progress import Progress
    from tamizdat.edition import Edition, FolderSource

    site = read_site(site_file or stories / "site.json")
    photos = media or (stories / "media" if (stories / "media").is_dir() else None)
    paper = Edition(
        out,
        media=MediaFolder(photos) if photos else None,
        tree=tree,
        brotli=brotli,
        workers=workers,
    )
    with Progress("Stories") as progress:
        report = paper.build(FolderSource(stories), site, progress=progress)
    for problem in report.problems:
        say(f"Left out: {problem}")
    if as_json:
        print_json({"ok": True, "folder": str(paper.folder), **msgspec.to_builtins(report)})
    else:
        click.echo(
            f"Edition {report.edition} in {paper.folder}: {report.stories} stories, "
            f"{report.pages} pages, {report.seconds:.1f} s."
        )


@edition.command()
@click.argument("out", type=_existing_folder, required=False)
@dir_option
@click.option("--host", help="Where to listen.  [default: the settings', else 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="The port.  [default: the settings', else 8001]"
)
@click.option("--cohort", help="Whose mirrors its readers are told of.  [default: the settings']")
def serve(
    out: Path | None, folder: Path, host: str | None, port: int | None, cohort: str | None
) -> None:
    """Serve a built paper: the one in OUT, else the newsroom's.

    For a look, or behind a web server. No addresses of readers are kept.
    """
    from tamizdat.cli.servers import serve_paper
    from tamizdat.cli.signing import cohort_of

    newsroom = open_newsroom(folder) if out is None or cohort else None
    place = PaperSettings() if newsroom is None or out else newsroom.settings.paper
    told = cohort_of(newsroom, place.cohort if cohort is None else cohort) if newsroom else None
    out = out or open_newsroom(folder).edition
    host, port = host or place.host, port or place.port
    say(f"The paper in {out} answers on http://{host}:{port}/")
    serve_paper(out, host=host, port=port, cohort=told.told if told else "")


edition.add_command(bundle)
edition.add_command(verify)
edition.add_command(reader)


def read_site(path: Path) -> Site:
    """The site's configuration from a JSON file. Raises ``ConfigError`` and ``SiteError``."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Site).check()
    except FileNotFoundError:
        raise ConfigError(
            f"there is no {path}: name the site's configuration with --site (docs/cli.md)"
        ) from None
    except msgspec.DecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
