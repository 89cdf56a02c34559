"""What is turned down where a restoration was seen to do harm: a preset in, a milder one out. Pure."""

from dataclasses import dataclass

from vhsbatch.analysis.picture import VideoMeasurement
from vhsbatch.config.presets import Preset, derive

# Simulated captures whose restoration gained were between -1 and this, see docs/quality.md.
HARMFUL = 0.25  # Thin structures that keep less of their colour look grey.
PALE = 0.75

# Each round halves what does harm; the one after the last turns it off.
ROUNDS = 3

_LUMA = ("luma_spatial", "luma_temporal")
_CHROMA = ("chroma_spatial", "chroma_temporal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """What a restoration did, None where it cannot be told.

    Attributes:
        luma: how much farther it is from the picture than the source is, in parts of the source's noise.
        chroma: the same of the colour.
        colour: how much thin structures keep of their colour.
    """

    luma: float | None = None
    chroma: float | None = None
    colour: float | None = None

    @property
    def of_luma(self) -> bool:
        """Whether it is too much in the luma."""
        return self.luma is not None and self.luma > HARMFUL

    @property
    def of_chroma(self) -> bool:
        """Whether it is too much in the colour."""
        pale = self.colour is not None and self.colour < PALE
        return pale or (self.chroma is not None and self.chroma > HARMFUL)


def denoises(preset: Preset) -> bool:
    """Whether a preset denoises."""
    return preset.denoise.method != "none"


def less_denoised(preset: Preset, harm: Harm, *, last: bool) -> Preset:
    """A preset with half of what does harm.

    Args:
        preset: the preset.
        harm: what does.
        last: whether it is turned off instead, as halves did not help.
    """
    keys = (*(_LUMA if harm.of_luma else ()), *(_CHROMA if harm.of_chroma else ()))
    values = {key: getattr(preset.denoise, key) for key in (*_LUMA, *_CHROMA)}
    for key in keys:
        values[key] = 0 if last else values[key] / 2
    method = preset.denoise.method if any(values.values()) else "none"
    return derive(preset, {"denoise": {**values, "method": method}})


def sharpens(preset: Preset) -> bool:
    """Whether a preset sharpens whatever the source is like."""
    return preset.guard and preset.sharpen.amount > 0 and not preset.sharpen.by_response


def not_sharpened_twice(preset: Preset, picture: VideoMeasurement | None) -> tuple[Preset, tuple[str, ...]]:
    """A preset that does not sharpen what the deck or the camera surely has, and a line about that."""
    response = None if picture is None else picture.response
    if response is None or not response.excess or not sharpens(preset):
        return preset, ()
    why = f"the deck or the camera sharpened this video already ({response.ratio:.2f})"
    return derive(preset, {"sharpen": {"amount": 0.0}}), (f"sharpening turned off: {why}",)


def changes(before: Preset, after: Preset) -> dict[str, dict[str, object]]:
    """What was turned down, as keys of a preset."""
    old, new = before.denoise.model_dump(), after.denoise.model_dump()
    return {"denoise": {key: value for key, value in new.items() if old[key] != value}}


def in_words(before: Preset, after: Preset) -> tuple[str, ...]:
    """What was turned down and why, one line each; nothing where nothing was."""
    if before.denoise == after.denoise:
        return ()
    lines = []
    for plane, why, keys in (
        ("luma", "it took away or smeared detail", _LUMA),
        ("chroma", "it smeared colour or made it paler", _CHROMA),
    ):
        part = _kept(before, after, keys)
        if part < 1:
            lines.append(f"denoising of the {plane} {_down(part)}: {why} in this video")
    return tuple(lines)


def _kept(before: Preset, after: Preset, keys: tuple[str, ...]) -> float:
    """How much of some strengths is left."""
    if not denoises(after):
        after = derive(after, {"denoise": dict.fromkeys((*_LUMA, *_CHROMA), 0)})
    whole = sum(getattr(before.denoise, key) for key in keys)
    return sum(getattr(after.denoise, key) for key in keys) / whole if whole else 1.0


def _down(part: float) -> str:
    return f"turned down to {part:.0%}" if part else "turned off"
