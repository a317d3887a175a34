"""How the window looks and speaks, and finding one's way in it."""

from __future__ import annotations

from app.ui.wiring.wiring import Wiring


class LooksWiring(Wiring):
    """The Help menu, theme and language."""
