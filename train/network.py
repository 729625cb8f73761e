"""The network: small enough for half a millisecond on one core."""

from __future__ import annotations

from typing import Any

from hcr_live.alphabet import CLASSES
from hcr_live.ink.normalise import SIDE


def compact_network(filters: tuple[int, int, int] = (32, 64, 128)) -> Any:
    """Return an untrained network, inputs float32 (n, SIDE, SIDE, 1), outputs (n, 62), softmax.

    Three stages that each halve the side, two convolutions a stage, batch normalisation (Ioffe
    and Szegedy, ICML 2015) after each. Converted, it costs no more than its convolutions.

    Args:
        filters: Filters of the stages.
    """
    import keras
    from keras import layers

    def convolution(x: Any, count: int, size: int = 3, stride: int = 1) -> Any:
        x = layers.Conv2D(count, size, stride, padding="same", use_bias=False)(x)
        return layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))

    first, second, third = filters
    image = keras.Input((SIDE, SIDE, 1), name="ink")
    x = convolution(image, first, size=5, stride=2)
    x = convolution(x, first)
    x = convolution(x, second, stride=2)
    x = convolution(x, second)
    x = convolution(x, third, stride=2)
    x = convolution(x, third)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    x = layers.Dense(len(CLASSES), name="logits")(x)
    return keras.Model(image, layers.Softmax(name="probabilities")(x), name="hcr62")
