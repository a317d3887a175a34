"""What the user sees: PySide6 and pyqtgraph. No torch."""
