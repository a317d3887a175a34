"""Where the demo project is, and whether it is whole. The window asks before it is painted, so little is imported."""

from __future__ import annotations

from pathlib import Path

STAMP = "demo.json"  # written last: a folder without it is not a whole demo project
VERSION = 5  # raised when the demo's content changes


def demo_folder() -> Path:
    """Where `coxa gui --demo` keeps its project."""
    import platformdirs

    return Path(platformdirs.user_data_dir("coxa", appauthor=False)) / "demo"


def is_demo_ready(folder: Path) -> bool:
    """Whether there is a whole demo project of this version. Quick: it opens no database."""
    import json  # not before there is a window, when nobody asks

    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
        return bool(stamp["version"] == VERSION) and (folder / "project.db").stat().st_size > 0
    except (OSError, ValueError, KeyError, TypeError):
        return False
