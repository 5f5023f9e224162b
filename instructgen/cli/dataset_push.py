"""`instructgen dataset push`: a version on the Hugging Face Hub."""

import json
from typing import TYPE_CHECKING

import typer

from instructgen.cli.failures import told_as_json
from instructgen.cli.sizes import show_bytes
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.dataset.pushing.push import PushPlan


def add_push(app: typer.Typer) -> None:
    app.command("push")(push_dataset)


def push_dataset(
    repo: str = typer.Argument(help="The dataset repository, OWNER/NAME; it is created if it is not there."),
    dataset: str = typer.Option(".", help="STORE, STORE@TAG, STORE@VERSION or a version's folder, on this machine."),
    version: str | None = typer.Option(None, help="The same as STORE@VERSION."),
    tag: str | None = typer.Option(None, help="The same as STORE@TAG."),
    private: bool = typer.Option(False, "--private", help="Create the repository as a private one."),
    revision: str = typer.Option("main", help="The branch to push to; it is created if it is not there."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what would be sent, and send nothing."),
    as_json: bool = typer.Option(False, "--json", help="End with one JSON object on standard output."),
) -> None:
    """Send a version to the Hugging Face Hub: the files that are not there yet in one commit, and a tag of its name.

    \b
    Examples:
      instructgen dataset push my-group/coco-instructions --dataset out/coco-val2017 --dry-run
      instructgen dataset push my-group/coco-instructions --dataset out/coco-val2017@v1 --private

    \b
    The token is read from HF_TOKEN, the keyring, or what `hf auth login` has stored. A version that is there
    under its tag is never replaced. HF_ENDPOINT names another server.
    """
    with told_as_json(as_json=as_json):
        if version is not None and tag is not None:
            raise InstructgenError("--version and --tag both name a version; give one of them")
        _push(repo, (dataset, version, tag), revision, is_private=private, is_dry=dry_run, as_json=as_json)


def _push(
    repo: str,
    chosen: tuple[str, str | None, str | None],
    revision: str,
    *,
    is_private: bool,
    is_dry: bool,
    as_json: bool,
) -> None:
    from instructgen.dataset.pushing.hub import HubRepo
    from instructgen.dataset.pushing.push import choose_version, plan_push, push

    folder = choose_version(*chosen)
    hub = HubRepo(repo)
    plan = plan_push(folder, hub, revision)
    for note in plan.notes:
        typer.echo(f"note: {note}", err=True)
    commit = plan.tagged if is_dry else push(folder, hub, plan, is_private=is_private)
    if as_json:
        typer.echo(json.dumps(_describe(plan, commit, is_dry=is_dry)))
        return
    if is_dry:
        _print_plan(plan)
    elif plan.is_done:
        typer.echo(f"version {plan.version} is at {plan.url} already, tagged")
    else:
        typer.echo(f"sent {len(plan.sent)} files ({show_bytes(plan.num_bytes)}), deleted {len(plan.deleted)}")
        typer.echo(f"version {plan.version} is at {plan.url}, tag {plan.version}, commit {commit}")


def _print_plan(plan: "PushPlan") -> None:
    if plan.is_done:
        typer.echo(f"version {plan.version} is at {plan.url} already, tagged; nothing would be sent")
        return
    if plan.creates_repo:
        typer.echo(f"would create {plan.url}")
    elif plan.creates_branch:
        typer.echo(f"would create the branch {plan.branch}")
    for file in plan.sent:
        typer.echo(f"would send   {file.path}  {show_bytes(file.num_bytes)}")
    for path in plan.deleted:
        typer.echo(f"would delete {path}  (of the version before)")
    kept = f", {len(plan.unchanged)} are there already" if plan.unchanged else ""
    typer.echo(f"{len(plan.sent)} files, {show_bytes(plan.num_bytes)}{kept}; would tag {plan.version}")


def _describe(plan: "PushPlan", commit: str | None, *, is_dry: bool) -> dict[str, object]:
    return {
        "repo": plan.repo,
        "url": plan.url,
        "version": plan.version,
        "revision": plan.branch,
        "commit": commit,
        "is_dry_run": is_dry,
        "was_there": plan.is_done,
        "sent": {file.path: file.num_bytes for file in plan.sent},
        "unchanged": list(plan.unchanged),
        "deleted": list(plan.deleted),
        "notes": list(plan.notes),
    }
