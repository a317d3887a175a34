"""Where the files that Coxa ships with are. Standard library only: the window needs it before its first paint."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path


def resource_path(*parts: str) -> Path:
    """A file or folder under `resources/`, in a checkout, in an installed package and in a frozen program.

    Raises:
        FileNotFoundError: it is not there.
    """
    for root in _roots(getattr(sys, "_MEIPASS", None)):
        path = root.joinpath("resources", *parts)
        if path.exists():
            return path
    raise FileNotFoundError("/".join(("resources", *parts)))


@cache  # 160 icons are asked for before the window is there
def _roots(frozen: str | None) -> tuple[Path, ...]:
    here = Path(__file__).resolve()
    return (Path(frozen),) if frozen else (here.parents[2], here.parents[1])
