"""`coxa gui`: open the window. Nothing heavier than Qt is imported before its first paint."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from pathlib import Path

from app.cli.arguments import whole_count
from app.cli.output import print_user_error
from app.core.errors import UserError
from app.store.settings import FOLDER_VARIABLE, THEMES, SettingsFile, config_folder

EPILOG = """\
examples:
  coxa gui                                  begin: open a project, or the demo project
  coxa gui --project ~/hips
  coxa gui --project ~/hips --read-only     look only; also while somebody else is working on it
  coxa gui --demo                           synthetic radiographs; made on the first start
  coxa gui --demo --screenshot window.png --size 1280x800
  coxa gui --demo --run invert --run palette --screenshot palette.png
  coxa gui --demo --theme light --language de    for once, without changing the settings

Next case PgDn · window: drag with the right button · zoom: wheel · fit Ctrl+0 · 1:1 Ctrl+1.
Research use only. Not for diagnosis."""


MARKER = "project.toml"  # of `app.store.folder`


def configure(parser: argparse.ArgumentParser) -> None:
    """Set the arguments of `coxa gui`."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--project", type=Path, metavar="DIR", help="the project folder")
    what.add_argument("--demo", action="store_true", help="the demo project in your user data folder")
    parser.add_argument(
        "--demo-cases", type=whole_count, metavar="N", help="make the first N studies only (default: all)"
    )
    parser.add_argument("--read-only", action="store_true", help="open for looking only")
    parser.add_argument("--screenshot", type=Path, metavar="PNG", help="write a picture of the window, then close it")
    parser.add_argument("--size", type=_size, metavar="WxH", help="size of the window in pixels, for example 1280x800")
    parser.add_argument("--quit-after", type=float, metavar="S", help="close the window after S seconds")
    parser.add_argument(
        "--run", action="append", default=[], metavar="COMMAND", type=_command,
        help="run a command of the window once the first case is shown, for example invert; may be repeated",
    )  # fmt: skip
    parser.add_argument("--theme", choices=THEMES, help="colours, for this time only (default: that of the settings)")
    parser.add_argument(
        "--language", choices=("en", "de"), help="language, for this time only (default: that of the settings)"
    )
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    """Open the window and wait until it is closed."""
    gc.disable()  # importing makes hardly any garbage and takes a quarter longer when it is looked for
    from app.cli.demo_place import demo_folder, is_demo_ready
    from app.cli.user import user_name

    _require_screen()
    _require_project(args)
    settings = SettingsFile(config_folder())
    settings.assume(**{name: value for name in ("theme", "language") if (value := getattr(args, name)) is not None})
    if settings.settings.scale_percent and not os.environ.get("QT_SCALE_FACTOR"):
        os.environ["QT_SCALE_FACTOR"] = str(settings.settings.scale_percent / 100)  # Qt reads it once, when it starts
    demo = demo_folder()
    few = () if args.demo_cases is None else ("--cases", str(args.demo_cases))
    try:
        from app.ui.plain_imports import import_plainly

        import_plainly()
        from app.ui.start import Automation, run_window
        from app.ui.start_plan import Start
    except ImportError as error:
        raise UserError(
            "The window cannot be opened.",
            reason=f"A library that Qt needs is missing ({error}).",
            remedy="Run the set-up again; it installs the library or names the command that does.",
            kind="no-qt",
        ) from error
    return run_window(
        Start(
            project=args.project,
            is_read_only=args.read_only,
            demo=demo,
            # -P: a folder of the user's must not be searched for modules
            demo_command=(
                sys.executable,
                "-P",
                "-m",
                "app",
                "demo",
                "--out",
                str(demo),
                "--replace",
                "--progress",
                *few,
            ),
            engine_command=(sys.executable, "-P", "-m", "app", "engine", "--nice", "10"),
            is_demo=args.demo,
            is_demo_ready=lambda: is_demo_ready(demo),
            author=user_name(),
            settings=settings,
            geometry=config_folder() / "window.ini" if args.screenshot is None else None,
            recent=_state_folder() / "recent.json",
        ),
        Automation(screenshot=args.screenshot, size=args.size, commands=tuple(args.run), quit_after_s=args.quit_after),
    )


def _state_folder() -> Path:
    """Where the window keeps what it remembers from one start to the next."""
    if os.environ.get(FOLDER_VARIABLE):
        return config_folder()
    import platformdirs

    return Path(platformdirs.user_state_dir("coxa", appauthor=False))


def _require_screen() -> None:
    """Qt ends the whole process when there is no screen; say so instead."""
    is_choosing = "QT_QPA_PLATFORM" in os.environ
    if (
        sys.platform.startswith("linux")
        and not is_choosing
        and not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    ):
        raise UserError(
            "There is no screen to open the window on.",
            reason="Neither DISPLAY nor WAYLAND_DISPLAY is set.",
            remedy="Start it from a desktop session, or set QT_QPA_PLATFORM=offscreen to write a screenshot only.",
            kind="no-screen",
        )


def _require_project(args: argparse.Namespace) -> None:
    """Refuse a folder that is no project where somebody reads it or nobody is there; started from an icon, the window
    itself says so and offers other projects.
    """
    if args.project is None or (args.project / MARKER).exists():
        return
    from app.store.folder import ProjectFolder  # the start of a window that has a project does without it

    try:
        ProjectFolder(args.project.absolute()).read_marker()
    except UserError as error:
        if error.kind != "not-a-project":
            return  # the window knows more about it
        if sys.stderr.isatty() or args.screenshot is not None or args.quit_after is not None or args.run:
            raise
        print_user_error(error)


def _command(text: str) -> str:
    from app.ui.commands.table import COMMANDS  # words only: no Qt

    known = [command.id for command in COMMANDS]
    if text not in known:
        raise argparse.ArgumentTypeError(f"{text!r} is none of the window's commands: {', '.join(known)}")
    return text


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.partition("x")
    if not cross or not width.isdigit() or not height.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT, for example 1280x800")
    return int(width), int(height)
