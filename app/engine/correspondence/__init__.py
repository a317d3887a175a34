"""Which patches of two views show the same tissue: the correspondence matrices of paper 003, exact and sparse."""

from app.engine.correspondence.matrix import Correspondence, Form, SparseMatrix
from app.engine.correspondence.patches import crop_geometry, patch_geometry, pooled

__all__ = ["Correspondence", "Form", "SparseMatrix", "crop_geometry", "patch_geometry", "pooled"]
