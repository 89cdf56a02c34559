"""A mixture of the model's picture and the same frame scaled without a model.

A model draws detail that may not have been there. Mixed with what the frame itself holds, it draws less,
and what it draws differently in each frame flickers less.
"""

import numpy as np
from PIL import Image

from vhsbatch.engines.runtimes import Frame


def blended(frame: Frame, larger: Frame, strength: float) -> Frame:
    """`larger` mixed with `frame`, enlarged by Lanczos to the same size.

    Args:
        frame: what went into the model, height x width x 3, RGB.
        larger: what came out.
        strength: how much of `larger` to use, 0 to 1.
    """
    height, width, _ = larger.shape
    scaled = Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(Image.blend(scaled, Image.fromarray(larger), strength))
