"""From a network in torch to a graph that OpenVINO runs: `python -m app.engine.graph_export [--card-only] FOLDER …`.

The card names the graph by its SHA-256 from then on. `--card-only` lets a card name the graph that is there already,
after it was compared with the network again.

OpenVINO's own converter folds norms into kernels, which would make weights of its own, and reports its use to a server
unless somebody has forbidden it. Its front end, which is called here directly, does neither.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import warnings
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from app.core.errors import UserError
from app.core.model_card import ModelCard
from app.engine.explain import heatmaps
from app.engine.graph_file import ALIGNMENT, GraphFacts, tables_begin, write_graph
from app.engine.graph_model import GraphModel
from app.engine.head_gradient import has_activation_map, head_gradient
from app.engine.heatmap_method import HeatmapMethod
from app.engine.loaded_model import LoadedModel
from app.engine.models.hip_model import HipModel
from app.engine.models.localiser import HipLocaliser
from app.engine.opinion import calibrated
from app.engine.quiet_openvino import openvino
from app.engine.weights_file import tensor, tensor_places
from app.store.model_folder import GRAPH, WEIGHTS, read_bytes, read_card, weights_sha256, write_card

SMALLEST_SHARED = 32  # bytes; smaller constants are written out
CLOSE = 1e-4  # how far probabilities of graph and network may lie apart
CLOSE_HEATMAP = 1e-3  # of the largest value


class Exported(nn.Module):
    """A network with the outputs that a graph has: logits, maps, and the gradient of its classifier."""

    def __init__(self, model: HipModel, *, has_gradient: bool) -> None:
        super().__init__()
        self.model, self.has_gradient = model, has_gradient

    def forward(self, *images: Tensor) -> tuple[Tensor, ...]:
        """Images to (logits, maps of every view, gradient of every view), or to maps only."""
        maps = self.model.maps(*images)
        if not self.has_gradient:
            return maps
        gradients = head_gradient(self.model, maps)
        return (self.model.classify(maps), *maps, *(part * 1.0 for part in gradients))


def export_graph(folder: Path) -> Path:
    """Write the graph of a model beside its weights, compare it with the network, and name it on the card.

    Args:
        folder: of the model.

    Returns:
        The file.

    Raises:
        UserError: the model cannot be used, `no-gradient`: its classifier is not known to the export, or
            `graph-differs`: the graph does not say what the network says.
    """
    model = LoadedModel(folder, device=torch.device("cpu"), precision=torch.float32)
    is_whole = not isinstance(model.network, HipLocaliser)
    network, tables = _shared(_converted(model, has_gradient=is_whole), folder / WEIGHTS)
    facts = GraphFacts(
        weights_sha256=model.card.weights_sha256,
        architecture=model.card.architecture,
        views=len(model.card.input.roles),
        has_gradient=is_whole,
        has_activation_map=is_whole and has_activation_map(model.network),
        made_with=_version(),
    )
    _name_graph(folder, model.card, None)  # an older graph's name would be that of another file
    write_graph(folder, facts, network, tables)
    try:
        compare_graph(model, GraphModel(folder, precision="float32"))
    except Exception:
        (folder / GRAPH).unlink()
        raise
    _name_graph(folder, model.card, weights_sha256(folder / GRAPH))
    return folder / GRAPH


def name_graph(folder: Path) -> Path:
    """Let the card of a model name the graph that is beside it, after it was compared with the network.

    Raises:
        UserError: as of `export_graph`.
    """
    model = LoadedModel(folder, device=torch.device("cpu"), precision=torch.float32)
    _name_graph(folder, model.card, None)
    compare_graph(model, GraphModel(folder, precision="float32"))
    _name_graph(folder, model.card, weights_sha256(folder / GRAPH))
    return folder / GRAPH


def _name_graph(folder: Path, card: ModelCard, digest: str | None) -> None:
    if read_card(folder).graph_sha256 != digest:
        write_card(folder, msgspec.structs.replace(card, graph_sha256=digest))


def _version() -> str:
    return str(openvino().__version__).partition("-")[0]


def _converted(model: LoadedModel, *, has_gradient: bool) -> Any:
    """The network as OpenVINO's model, for one case at a time."""
    ov = openvino()
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    wanted = model.card.input
    shape = (1, wanted.channels, wanted.size_px, wanted.size_px)
    images = tuple(torch.zeros(shape) for _ in wanted.roles)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of every shape that becomes a constant; all are meant to
        decoder = TorchScriptPythonDecoder(
            Exported(model.network, has_gradient=has_gradient).eval(),
            example_input=images,
            trace_kwargs={"check_trace": False},
        )
        frontend = FrontEndManager().load_by_framework("pytorch")
        converted = frontend.convert(frontend.load(decoder))
    for entry in converted.inputs:
        entry.get_node().set_partial_shape(ov.PartialShape(list(shape)))
    converted.validate_nodes_and_infer_types()
    return converted


def _shared(converted: Any, weights: Path) -> tuple[bytes, bytes]:
    """The description with constants that point into the weights file, and the bytes of those that are not there."""
    ov = openvino()
    from openvino.passes import ConstantFolding, Manager

    content = read_bytes(weights)
    places = tensor_places(content)
    stored = {name: tensor(content, place) for name, place in places.items() if place.dtype is not None}
    weights_of = {_digest(part.astype(np.float32)): part for part in stored.values() if part.dtype.kind == "f"}
    swapped = _as_inputs(converted, weights_of)
    manager = Manager()
    manager.register_pass(ConstantFolding())  # shapes become numbers; weights stay, since they are inputs meanwhile
    manager.run_passes(converted)
    _as_constants(converted, swapped)
    with tempfile.TemporaryDirectory() as temporary:
        description, binary = Path(temporary) / "graph.xml", Path(temporary) / "graph.bin"
        ov.serialize(converted, str(description), str(binary))
        root, constants = ET.parse(description).getroot(), binary.read_bytes()
    known = {_digest(tensor(content, place)): place.start for place in places.values() if place.dtype is not None}
    return _pointed(root, constants, known, tables_begin(len(content)))


def _as_inputs(converted: Any, weights_of: dict[str, npt.NDArray[Any]]) -> list[tuple[Any, npt.NDArray[Any]]]:
    """Replace every weight by an input, so that nothing is folded into it."""
    from openvino import opset13 as ops

    swapped = []
    for node in converted.get_ordered_ops():
        if node.get_type_name() != "Constant" or node.data.nbytes < SMALLEST_SHARED:
            continue
        stored = weights_of.get(_digest(node.data))
        if stored is not None:
            stand_in = ops.parameter(list(node.shape), node.get_element_type())
            for target in list(node.output(0).get_target_inputs()):
                target.replace_source_output(stand_in.output(0))
            swapped.append((stand_in, stored.reshape(tuple(node.shape))))
    converted.add_parameters([stand_in for stand_in, _ in swapped])
    return swapped


def _as_constants(converted: Any, swapped: list[tuple[Any, npt.NDArray[Any]]]) -> None:
    """Put the weights back, in the precision in which they are stored."""
    from openvino import opset13 as ops

    for stand_in, stored in swapped:
        constant = ops.constant(stored)
        source = constant if stored.dtype == np.float32 else ops.convert(constant, "f32")
        for target in list(stand_in.output(0).get_target_inputs()):
            target.replace_source_output(source.output(0))
        converted.remove_parameter(stand_in)
    converted.validate_nodes_and_infer_types()


def _pointed(root: ET.Element, constants: bytes, known: dict[str, int], begin: int) -> tuple[bytes, bytes]:
    """Move every constant to where its bytes lie: in the weights, or in the tables behind them."""
    tables, moved = bytearray(), {}
    for layer in root.iter("layer"):
        layer.set("name", layer.get("id", ""))  # names say nothing to the runtime, and folders can be in them
        if layer.get("type") != "Const":
            continue
        data = layer.find("data")
        assert data is not None
        start, size = int(data.get("offset", "0")), int(data.get("size", "0"))
        part = constants[start : start + size]
        digest = _digest(np.frombuffer(part, np.uint8))
        if size >= SMALLEST_SHARED and digest in known:
            data.set("offset", str(known[digest]))
            continue
        if digest not in moved:
            tables += bytes(-len(tables) % ALIGNMENT)
            moved[digest] = begin + len(tables)
            tables += part
        data.set("offset", str(moved[digest]))
    information = root.find("rt_info")
    if information is not None:
        root.remove(information)
    return ET.tostring(root), bytes(tables)


def _digest(part: npt.NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(part).tobytes()).hexdigest()


def compare_graph(model: LoadedModel, graph: GraphModel) -> None:
    """Show the same images to both.

    Raises:
        UserError: `graph-differs`.
    """
    wanted, generator = model.card.input, np.random.default_rng(0)
    shape = (wanted.channels, wanted.size_px, wanted.size_px)
    views = tuple(generator.standard_normal(shape).astype(np.float32) for _ in wanted.roles)
    with torch.inference_mode():
        maps = model.network.maps(*(torch.from_numpy(view[None]) for view in views))
    if not graph.facts.has_gradient:
        _same(graph.score(views[0]), maps[0][0].numpy(), CLOSE_HEATMAP)
        return
    methods = [HeatmapMethod.GRAD_CAM, HeatmapMethod.GRAD_CAM_PP]
    methods += [HeatmapMethod.CAM] if graph.facts.has_activation_map else []
    for method in methods:
        logits, found = heatmaps(model.network, maps, model.card.finding, method)
        (said,) = graph.look([views], method=method, class_number=model.card.finding)
        meant = calibrated(logits.numpy(), model.card.calibration.temperature)[0]
        _same(np.array(said.probabilities), meant, CLOSE)
        for ours, theirs in zip(said.heatmaps, found, strict=True):
            _same(ours, theirs[0].numpy(), CLOSE_HEATMAP * max(float(theirs.max()), 1e-6))


def _same(ours: npt.NDArray[Any], theirs: npt.NDArray[Any], limit: float) -> None:
    apart = float(np.abs(ours - theirs).max())
    if not apart <= limit:
        raise UserError(
            "The graph does not say what the network says.",
            reason=f"They differ by {apart:.2g}, and {limit:.2g} is allowed.",
            remedy="Report it; the model runs with PyTorch.",
            kind="graph-differs",
        )


def main(words: list[str]) -> int:
    """Export the graphs of some models."""
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    folders = [word for word in words if word != "--card-only"]
    make = name_graph if len(folders) < len(words) else export_graph
    for folder in folders:
        path = make(Path(folder))
        print(f"{path}  {path.stat().st_size / 1e6:.2f} MB")
    return 0 if folders else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
