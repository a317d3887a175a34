"""Labels, clicks, boxes and measurements."""

from __future__ import annotations

from app.ui.wiring.wiring import Wiring


class AnnotatingWiring(Wiring):
    """The Annotate menu, its tools and its docks."""
