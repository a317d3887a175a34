"""How large a dialog opens: as large as it likes to be, or as the screen lets it."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.ui.main_window import FRAME_PX


def open_at(dialog: QWidget, width_px: int, height_px: int) -> None:
    """Give a dialog its first size: with its title and its buttons on the screen, which at 200 % may be 540 px high.

    Args:
        dialog: not shown yet.
        width_px: what it likes to have, logical px.
        height_px: the same.
    """
    room = (dialog.parentWidget() or dialog).screen().availableGeometry()
    dialog.resize(min(width_px, room.width() - FRAME_PX[0]), min(height_px, room.height() - FRAME_PX[1]))
