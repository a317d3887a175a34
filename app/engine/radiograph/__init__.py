"""From areal densities to a radiograph: beam, scatter, detector, marker, processing. A simulation, not a device."""

from app.engine.radiograph.collimation import sample_field
from app.engine.radiograph.exposure import Radiograph, expected_signal, expose
from app.engine.radiograph.marker import Marker
from app.engine.radiograph.technique import Style, Technique

__all__ = ["Marker", "Radiograph", "Style", "Technique", "expected_signal", "expose", "sample_field"]
