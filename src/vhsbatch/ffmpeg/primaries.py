"""The matrix that brings linear light from the primaries of one standard to those of another.

White stays white: where the standards' whites differ, colours are adapted (Bradford). FFmpeg's zscale
leaves them as they are, and pictures from a film scanner or a cinema's master would come out tinted.

Sources: ITU-T H.273 (chromaticities), CIE 15 (RGB to XYZ), Lam 1985 (Bradford).
"""

import numpy as np
from numpy.typing import NDArray

_Matrix = NDArray[np.float64]

_D65 = (0.3127, 0.3290)
_C = (0.310, 0.316)
_DCI = (0.314, 0.351)

_SMPTE_C = ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
_EBU = ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077))
# By FFmpeg's names: red, green and blue, then white, each as x and y.
_CHROMATICITIES = {
    "bt709": (((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)), _D65),
    "bt470m": (((0.670, 0.330), (0.210, 0.710), (0.140, 0.080)), _C),
    "bt470bg": (((0.640, 0.330), (0.290, 0.600), (0.150, 0.060)), _D65),
    "smpte170m": (_SMPTE_C, _D65),
    "smpte240m": (_SMPTE_C, _D65),
    "film": (((0.681, 0.319), (0.243, 0.692), (0.145, 0.049)), _C),
    "bt2020": (((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)), _D65),
    "smpte431": (_P3, _DCI),
    "smpte432": (_P3, _D65),
    "ebu3213": (_EBU, _D65),
    "jedec-p22": (_EBU, _D65),
}
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def gamut_matrix(source: str, target: str = "bt709") -> _Matrix:
    """What linear RGB of `source` is multiplied with to become linear RGB of `target`: 3 by 3.

    Args:
        source: FFmpeg's name of the primaries.
        target: the same of what is wanted.
    """
    from_xyz = np.linalg.inv(_to_xyz(target))
    return np.asarray(from_xyz @ _adaptation(source, target) @ _to_xyz(source))


def _to_xyz(name: str) -> _Matrix:
    colours, white = _CHROMATICITIES[name]
    directions = np.array([_xyz(*colour) for colour in colours]).T
    return np.asarray(directions * np.linalg.solve(directions, _xyz(*white)))


def _adaptation(source: str, target: str) -> _Matrix:
    seen, wanted = (_BRADFORD @ _xyz(*_CHROMATICITIES[name][1]) for name in (source, target))
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(wanted / seen) @ _BRADFORD)


def _xyz(x: float, y: float) -> _Matrix:
    return np.array([x / y, 1.0, (1 - x - y) / y])
