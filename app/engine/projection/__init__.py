"""From volumes to line integrals: where source and detector are, and the projectors."""

from app.engine.projection.geometry import Geometry
from app.engine.projection.joseph import project, project_part

__all__ = ["Geometry", "project", "project_part"]
