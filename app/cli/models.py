"""`coxa models`: which models there are, which one answers, and letting another one take its place."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from app.cli.exit_codes import DONE
from app.cli.model_audit import run_audit
from app.cli.model_card import card_lines
from app.cli.model_checks import add_check_arguments, named_folder, require_sound, run_verify
from app.cli.output import add_json_argument, add_project_argument, print_json, printable
from app.cli.user import user_name
from app.core.errors import UserError

if TYPE_CHECKING:
    from app.store.models import ModelEntry, Models
    from app.store.project import ProjectStore

EPILOG = """\
examples:
  coxa models list --project ~/hips                  every model; a star marks those that answer
  coxa models card cvdt-small                        what it is for, its limits, figures with intervals, origin
  coxa models card --project ~/hips ID --toml        the card as it is stored
  coxa models import --project ~/hips ~/received     a model folder somebody sent, or the folder of a run
  coxa models promote --project ~/hips ID            compared with the active one on the hold-out first
  coxa models promote --project ~/hips ~/hips/runs/RUN --reason "the active one knows no cross-table views"
  coxa models rollback --project ~/hips fracture.pair
  coxa models history --project ~/hips fracture.pair
  coxa models verify                                 hashes, files, card, and graph against network
  coxa models verify ~/received --hold-out 100       and their decisions on 100 synthetic cases
  coxa models audit cvdt-small --cases 200           do its heatmaps point at the fracture?
  coxa models audit --project ~/hips ID --write      and put that on the card
  coxa models audit hip-localiser --cases 60         how near does it come to the neck?

One model answers for each question and set of views (fracture.pair). Promoting and rolling back are recorded in the
project; a model that is worse on the hold-out, or that cannot be compared, needs a reason of ten letters or more.

`verify` and `audit` end with 1 where something is wrong. Synthetic cases are made on the spot, about one a second, from
seeds that no bundled model was trained on. An audit compares the peak of each heatmap with the fracture that the
phantom has put there, and the heatmaps with those of random weights; heatmaps of a model that fails are marked. Of the
hip localiser, which has none, it measures how far its places lie from the middle of the neck, in mm."""


WORDS = {  # action -> what it is about, one-line help
    "list": ("", "every model; a star marks those that answer"),
    "card": ("ID|DIR", "what a model is, knows and was measured on: its card, to be read"),
    "show": ("ID|DIR", "the same as card"),
    "import": ("DIR", "copy a model into the project: a folder that was received, or that of a run"),
    "promote": ("ID|DIR", "let a model, or that of a run, answer from now on"),
    "rollback": ("TASK", "let the model answer that answered before"),
    "history": ("TASK", "who has let which model answer, and why"),
    "verify": ("", "whether models are whole, and say what their cards say"),
    "audit": (
        "",
        "whether heatmaps of a model, or places of the localiser, may be believed, on synthetic cases",
    ),
}
MEANINGS = {
    "ID": "name of the model",
    "ID|DIR": "name of the model, or its folder, or that of a run",
    "DIR": "folder that holds card.toml and weights.safetensors, or that of a run",
    "TASK": "question and views, for example fracture.pair",
}
READING = ("list", "card", "show", "history", "verify")


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa models`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, (what, text) in WORDS.items():
        sub = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False)
        sub.set_defaults(what="", reason="", author="", device="auto")
        if what:
            sub.add_argument("what", metavar=what, help=MEANINGS[what])
        if name in ("verify", "audit"):
            add_check_arguments(sub, name)
        add_project_argument(sub, is_required=name not in ("list", "card", "show", "verify", "audit"))
        if name in ("promote", "rollback"):
            sub.add_argument("--reason", default="", metavar="TEXT", help="why")
        if name in ("promote", "rollback", "import"):
            sub.add_argument("--author", default="", metavar="NAME", help="who decides (default: the account's name)")
        if name in ("card", "show"):
            sub.add_argument("--toml", action="store_true", help="print the card as it is stored")
        if name == "promote":
            sub.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda … (default: auto)")
        if name in ("list", "card", "show", "verify", "audit"):
            add_json_argument(sub)
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """Do what was asked for."""
    from app.store.models import Models
    from app.store.project import ProjectStore

    if args.project is None:
        return _look(args, Models(None))
    is_looking = args.action in READING or (args.action == "audit" and not args.write)
    with ProjectStore.open(args.project, is_read_only=is_looking) as project:
        models = Models(project)
        if is_looking:
            return _look(args, models)
        return _change(args, project, models)


def _look(args: argparse.Namespace, models: Models) -> int:
    from app.store.model_folder import CARD, read_card

    if args.action == "verify":
        return run_verify(args, models)
    if args.action == "audit":
        return run_audit(args, models, is_writable=False)
    if args.action in ("card", "show"):
        folder, _ = named_folder(models, args.what)
        card = read_card(folder)
        if args.json:
            print_json(msgspec.to_builtins(card))
        elif args.toml:
            print((folder / CARD).read_text(encoding="utf-8"), end="")
        else:
            print("\n".join(card_lines(card)))
    elif args.action == "history":
        events = models.history(args.what)
        for event in events:
            print(printable(f"{event.at[:19]}  {event.author}  {event.text}"))
        if not events:
            places = sorted({entry.task_id for entry in models.all()})
            print(printable(f"No model was promoted to {args.what}. Places with models: {', '.join(places)}."))
    else:
        active = {entry.id for entry in models.actives().values()}
        listed = models.all()
        if args.json:
            print_json([_document(entry, is_active=entry.id in active) for entry in listed])
        else:
            for entry in listed:
                print(_line(entry, is_active=entry.id in active))
            if not listed:
                print("There are no models: this copy of Coxa ships with none, and the project has none.")
    return DONE


def _change(args: argparse.Namespace, project: ProjectStore, models: Models) -> int:
    author = args.author or user_name()
    match args.action:
        case "audit":
            return run_audit(args, models, is_writable=True)
        case "import":
            source = model_folder(Path(args.what))
            require_sound(source)
            entry = models.add(source)
            print("\n".join(printable(line) for line in _claims(entry)))
            print(printable(f"{entry.id} is here now; it answers after `coxa models promote`."))
        case "rollback":
            print(printable(models.roll_back(args.what, author=author, reason=args.reason).text))
        case _:
            from app.cli.evaluate import comparison_lines
            from app.cli.gate import compare_on_hold_out

            path = Path(args.what)
            entry = models.add(model_folder(path)) if path.is_dir() else models.get(args.what)
            active = models.active(entry.task_id)
            comparison = None
            if active is not None and active.id != entry.id:
                comparison = compare_on_hold_out(project, entry, active, device=args.device)
                if comparison is not None:
                    print("\n".join(comparison_lines(comparison)))
            try:
                event = models.promote(entry.id, author=author, comparison=comparison, reason=args.reason)
            except UserError as error:
                if error.kind != "needs-reason":
                    raise
                remedy = f"{error.remedy.rstrip('.')}: --reason TEXT."
                raise UserError(error.title, reason=error.reason, remedy=remedy, kind=error.kind) from error
            print(printable(event.text if event is not None else f"{entry.id} answers already."))
    return DONE


def model_folder(path: Path) -> Path:
    """The model of a folder: the folder itself, or that of a run."""
    return path / "model" if (path / "plan.json").is_file() else path


def _line(entry: ModelEntry, *, is_active: bool) -> str:
    area = next((figure for figure in entry.card.figures if figure.name == "AUC"), None)
    figure = "" if area is None else f"  AUC {area.value:.3f} ({area.cases} cases)"
    where = "bundled" if entry.is_bundled else "project"
    return printable(
        f"{'*' if is_active else ' '} {entry.id:36}  {entry.task_id:18}  {where:8}  {entry.card.title}{figure}"
    )


def _claims(entry: ModelEntry) -> list[str]:
    """What a received model says about itself; nobody here has measured it."""
    card = entry.card
    area = next((figure for figure in card.figures if figure.name == "AUC"), None)
    lines = [f"{card.title}: {card.task}", f"  trained on    {card.trained_on}"]
    if area is not None:
        lines.append(f"  AUC           {area.value:.3f} on {area.measured_on}")
    return [*lines, f"  limits        {card.limits}", "  This is what its card says; `coxa evaluate` measures it here."]


def _document(entry: ModelEntry, *, is_active: bool) -> dict[str, object]:
    return {
        "id": entry.id,
        "task": entry.task_id,
        "title": entry.card.title,
        "architecture": entry.card.architecture,
        "is_active": is_active,
        "is_bundled": entry.is_bundled,
        "folder": str(entry.folder),
        "weights_sha256": entry.card.weights_sha256,
    }
