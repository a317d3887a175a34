"""What every model of this project can do, so that one program infers, explains and trains them all."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

Maps = tuple[Tensor, ...]


class HipModel(nn.Module, ABC):
    """A classifier of one or two radiographs, cut after its last maps.

    A heatmap needs the gradient of a class with respect to those maps only. Because `classify` is all that lies
    behind them, it costs a backward pass through a few small layers, not through the network.
    """

    @abstractmethod
    def maps(self, *images: Tensor) -> Maps:
        """The last spatial maps of every view.

        Args:
            images: (B, C, H, W) for each view, in the order of the model's projections, standardised.

        Returns:
            (B, C', H', W') for each view.
        """

    @abstractmethod
    def classify(self, maps: Maps) -> Tensor:
        """From maps to logits.

        Args:
            maps: what `maps` returned.

        Returns:
            (B, classes).
        """

    def forward(self, *images: Tensor) -> Tensor:
        """Logits (B, classes); arguments as of `maps`."""
        return self.classify(self.maps(*images))


def pooled(maps: Tensor) -> Tensor:
    """Global average: (B, C, H, W) to (B, C)."""
    return maps.mean((-2, -1))
