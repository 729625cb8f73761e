"""The networks: the student project's, the two that are shipped, and a teacher.

All are Keras 3 functional models for any backend, with a softmax at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from hcr_live.ink.normalise import SIDE
from hcr_live.ink.path import CHANNELS, POINTS
from train.dataset import SHAPES, Form


def seed(side: int = 28, classes: int = 26) -> Any:
    """Return the student project's network: 75, 50 and 25 filters, each pooled, and 512 neurons.

    Args:
        side: Pixels of a side of its input, float32 (n, side, side, 1) in [0, 1].
        classes: Outputs.
    """
    import keras
    from keras import layers

    image = keras.Input((side, side, 1), name="ink")
    x = image
    for filters, dropout in ((75, 0.0), (50, 0.2), (25, 0.0)):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        if dropout:
            x = layers.Dropout(dropout)(x)
        x = layers.BatchNormalization()(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Dense(512, activation="relu")(layers.Flatten()(x))
    x = layers.Dense(classes, name="logits")(layers.Dropout(0.3)(x))
    return keras.Model(image, layers.Softmax(name="probabilities")(x), name="seed")


def compact(filters: tuple[int, int, int] = (24, 64, 160), dropout: float = 0.3) -> Any:
    """Return the network that is shipped, inputs float32 (n, SIDE, SIDE, 1), outputs (n, 62).

    Two stages of plain 3x3 convolutions at 16x16 and 8x8, where these are quickest on a CPU, then
    a wide stage at 4x4 with residual (He et al., CVPR 2016) depthwise-separable (Chollet, CVPR
    2017) blocks, where weights are what costs; batch normalisation (Ioffe and Szegedy, ICML 2015)
    after each, which conversion folds away.

    Args:
        filters: Filters of the stages.
        dropout: Share of the last stage's outputs that is dropped in training.
    """
    import keras
    from keras import layers

    first, second, third = filters
    image = keras.Input((SIDE, SIDE, 1), name="ink")
    x = _convolution(image, first, size=5, stride=2)
    x = _convolution(x, first)
    x = _convolution(x, second, stride=2)
    x = _convolution(x, second)
    x = _convolution(x, third, stride=2)
    for _ in range(2):
        y = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
        y = layers.BatchNormalization(momentum=_MOMENTUM)(y)
        x = layers.Add()([x, _convolution(y, third, size=1)])
    x = layers.Dropout(dropout)(layers.Flatten()(x))
    x = layers.Dense(len(CLASSES), name="logits")(x)
    return keras.Model(image, layers.Softmax(name="probabilities")(x), name="compact")


def path(filters: tuple[int, int, int] = (48, 96, 128), dropout: float = 0.4) -> Any:
    """Return the network that sees where the pen goes, not what it leaves behind.

    Inputs are those of `hcr_live.ink.path.path_input`, outputs (n, 62): one-dimensional
    convolutions along the path (time-delay networks: Waibel et al., IEEE ASSP 1989), halved
    three times.

    Args:
        filters: Filters of the stages.
        dropout: Share of the last stage's outputs that is dropped in training.
    """
    import keras
    from keras import layers

    x = way = keras.Input((POINTS, CHANNELS), name="path")
    for stage, count in enumerate(filters):
        for number in range(2):
            stride = 2 if stage and not number else 1
            x = layers.Conv1D(count, 5, stride, padding="same", use_bias=False)(x)
            x = layers.ReLU()(layers.BatchNormalization(momentum=_MOMENTUM)(x))
    x = layers.Conv1D(filters[-1], 3, 2, padding="same", activation="relu")(x)
    x = layers.Dropout(dropout)(layers.Flatten()(x))
    x = layers.Dense(len(CLASSES), name="logits")(x)
    return keras.Model(way, layers.Softmax(name="probabilities")(x), name="path")


def large(filters: tuple[int, int, int] = (64, 128, 256), blocks: int = 3) -> Any:
    """Return the teacher, for a GPU; inputs and outputs as `compact`.

    A wide residual network (Zagoruyko and Komodakis, BMVC 2016) with squeeze and excitation
    (Hu et al., CVPR 2018).

    Args:
        filters: Filters of the stages.
        blocks: Residual blocks a stage.
    """
    import keras
    from keras import layers

    image = keras.Input((SIDE, SIDE, 1), name="ink")
    x = _convolution(image, filters[0])
    for count in filters:
        x = _convolution(x, count, stride=2)
        for _ in range(blocks):
            y = _convolution(_convolution(x, count), count, active=False)
            gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
            gate = layers.Conv2D(count // 8, 1, activation="relu")(gate)
            gate = layers.Conv2D(count, 1, activation="sigmoid")(gate)
            x = layers.ReLU()(layers.Add()([x, layers.Multiply()([y, gate])]))
    x = layers.Dropout(0.4)(layers.Flatten()(x))
    x = layers.Dense(len(CLASSES), name="logits")(x)
    return keras.Model(image, layers.Softmax(name="probabilities")(x), name="large")


NETWORKS: dict[str, Callable[[], Any]] = {
    "seed": seed,
    "compact": compact,
    "large": large,
    "path": path,
}
"""By the names that `fit --network` takes."""


def form_of(model: Any) -> Form:
    """Return what a Keras model looks at, by the shape of its input."""
    return "path" if tuple(model.input_shape[1:]) == SHAPES["path"] else "ink"


def build(name: str) -> Any:
    """Return an untrained network.

    Raises:
        HcrError: If there is none of that name.
    """
    if name not in NETWORKS:
        raise HcrError(f"Unknown network '{name}': choose one of {', '.join(NETWORKS)}.")
    return NETWORKS[name]()


# Rounds are short: the averages must follow the weights within some twenty steps.
_MOMENTUM = 0.95


def _convolution(x: Any, filters: int, size: int = 3, stride: int = 1, active: bool = True) -> Any:
    from keras import layers

    x = layers.Conv2D(filters, size, stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=_MOMENTUM)(x)
    return layers.ReLU()(x) if active else x
