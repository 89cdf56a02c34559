"""What is concluded from a source's packets."""

from dataclasses import replace
from fractions import Fraction

import pytest

from unit.probe.test_scan import ANSWER, scan_answer
from vhsbatch.probe.packets import without_early_sound


@pytest.mark.anyio
async def test_a_track_that_ends_before_the_picture_begins_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packets = await scan_answer(monkeypatch, ANSWER)
    (track,) = packets.audio
    for start_s, is_kept in (
        (Fraction(0), True),
        (track.end_s - Fraction(1, 20), True),
        (track.end_s, False),
    ):
        found = without_early_sound(packets, start_s)
        assert found.audio == ((track,) if is_kept else ())
        assert bool(found.audio_left_out) is not is_kept
    assert found.audio_left_out == ("stream 1 (pcm_s16le): it ends before the picture begins",)


@pytest.mark.anyio
async def test_a_click_of_a_track_within_the_picture_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    packets = await scan_answer(monkeypatch, ANSWER)
    (track,) = packets.audio
    short = replace(packets, audio=(replace(track, start_s=Fraction(1), end_s=Fraction(101, 100)),))
    assert without_early_sound(short, Fraction(1)) == short
