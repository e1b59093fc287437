"""A small network that imitates VGG19's features: 3 x 64 x 46 -> 512, quick on one CPU thread."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

__all__ = ["Student", "StudentConfig"]


@dataclass(frozen=True)
class StudentConfig:
    """Shape of the student.

    Parameters
    ----------
    stem : int
        Filters of the first convolution (stride 2).
    widths : tuple of int
        Channels of the separable stages; each stage halves the image once.
    blocks : tuple of int
        Residual blocks a stage.
    width : int
        Features; 512 like the teacher's.
    """

    stem: int = 32
    widths: tuple[int, int, int] = (64, 160, 384)
    blocks: tuple[int, int, int] = (1, 2, 2)
    width: int = 512


class _Separable(nn.Module):
    """Depthwise 3x3 and pointwise 1x1, each with batch norm, residual where shapes allow."""

    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.residual = stride == 1 and width_in == width
        self.layers = nn.Sequential(
            nn.Conv2d(width_in, width_in, 3, stride, padding=1, groups=width_in, bias=False),
            nn.BatchNorm2d(width_in),
            nn.ReLU(inplace=True),
            nn.Conv2d(width_in, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.layers(x)
        out: Tensor = self.relu(x + y if self.residual else y)
        return out


class Student(nn.Module):
    """Depthwise-separable convolutions in three stages and global average pooling.

    64 x 46 -> 32 x 23 (stem) -> 16 x 12 -> 8 x 6 -> 4 x 3, then the mean over
    positions and a dense layer to 512 features in the teacher's standardised
    units. 640,992 parameters with the defaults.

    Parameters
    ----------
    config : StudentConfig, optional

    References
    ----------
    Howard et al., MobileNets, arXiv:1704.04861; Hinton et al., Distilling the
    knowledge in a neural network, arXiv:1503.02531.
    """

    def __init__(self, config: StudentConfig | None = None) -> None:
        super().__init__()
        self.config = config or StudentConfig()
        layers: list[nn.Module] = [
            nn.Conv2d(3, self.config.stem, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(self.config.stem),
            nn.ReLU(inplace=True),
        ]
        width_in = self.config.stem
        for width, count in zip(self.config.widths, self.config.blocks, strict=True):
            layers.append(_Separable(width_in, width, stride=2))
            layers += [_Separable(width, width, stride=1) for _ in range(count)]
            width_in = width
        self.layers = nn.Sequential(*layers)
        self.output = nn.Linear(width_in, self.config.width)

    def forward(self, images: Tensor) -> Tensor:
        """Features of images: (N, 3, 64, 46), float32 in [0, 1] -> (N, width)."""
        features: Tensor = self.output(self.layers(images - 0.5).mean(dim=(2, 3)))
        return features
