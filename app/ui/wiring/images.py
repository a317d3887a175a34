"""Tools, zoom and windows of the panes."""

from __future__ import annotations

from collections.abc import Callable

from app.ui.wiring.wiring import Wiring


class ImagesWiring(Wiring):
    """The View and Window menus."""

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What the View and Window menus do."""
        return {
            "pan": lambda _: self._use_tool("pan"),
            "window": lambda _: self._use_tool("window"),
            "fit": lambda _: self.viewer.active_pane.fit(),
            "one_to_one": lambda _: self.viewer.active_pane.one_to_one(),
            "zoom_in": lambda _: self.viewer.active_pane.zoom_by(1.25),
            "zoom_out": lambda _: self.viewer.active_pane.zoom_by(0.8),
            "auto": lambda _: self.viewer.use_preset("auto"),
            "file": lambda _: self.viewer.use_preset("file"),
            "bone": lambda _: self.viewer.use_preset("bone"),
            "soft-tissue": lambda _: self.viewer.use_preset("soft-tissue"),
            "invert": lambda is_on: self.viewer.set_inverted(is_on),
            "link": lambda is_on: self._set_linked(is_on),
        }

    def connect_rest(self) -> None:
        """What the panes report, and what was chosen before they were there."""
        actions = self.window.actions_by_id
        self.viewer.active_changed.connect(self.window.enable)
        self.viewer.pointed_at.connect(self.window.pixel.setText)
        self.viewer.inverted.connect(actions["invert"].setChecked)
        self._set_linked(actions["link"].isChecked())
        self._use_tool("window" if actions["window"].isChecked() else "pan")

    def present(self) -> set[str]:
        """Whether there is an image, and a view that keys apply to."""
        viewer, present = self.window.viewer, set()
        if viewer is not None and viewer.has_image:
            present.add("image")
        if viewer is not None and viewer.is_settled and viewer.active_view is not None:
            present.add("view")
        return present

    def _use_tool(self, name: str) -> None:
        if self.window.viewer is not None:
            from app.ui.image_pane import Tool

            self.viewer.set_tool(Tool(name))

    def _set_linked(self, is_linked: bool) -> None:
        if self.window.viewer is not None:
            self.viewer.set_linked(is_linked)
