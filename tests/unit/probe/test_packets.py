"""What is concluded from a source's packets."""

from dataclasses import replace
from fractions import Fraction

import pytest

import make
from unit.probe.test_scan import ANSWER, scan_answer
from vhsbatch.model.media import Gap
from vhsbatch.model.timeline import Timeline
from vhsbatch.probe.packets import rate_notes, without_early_sound, without_overwritten


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


def test_missing_frames_are_counted_and_placed() -> None:
    gaps = (Gap(start=30, stop=34), Gap(start=80, stop=81), Gap(start=1500, stop=1502))
    clip = Timeline(rate=Fraction(25), frames=2000, repeated_frames=7, dropped_frames=0, gaps=gaps)
    assert rate_notes(clip) == ("missing frames, filled by repeating: 7, in 3 places from 0:01.2 to 1:00.0",)
    once = replace(clip, repeated_frames=4, gaps=gaps[:1])
    assert rate_notes(once) == ("missing frames, filled by repeating: 4, at 0:01.2",)
    # Of very many gaps only the long ones are known.
    assert rate_notes(replace(clip, repeated_frames=90)) == ("missing frames, filled by repeating: 90",)


def test_overwritten_frames_are_gaps_beside_those_that_are_there() -> None:
    ticks = [tick for tick in range(40) if tick not in (10, 11)]
    track = make.track(rate=Fraction(25), frames=40, gaps=(Gap(start=10, stop=12),), repeated_frames=2)
    found = without_overwritten(track, ticks, Fraction(1, 25), frozenset({12, 13, 20}))
    assert found.overwritten == (Gap(start=12, stop=14), Gap(start=20, stop=21))
    assert found.gaps == (Gap(start=10, stop=14), Gap(start=20, stop=21))
    assert found.repeated_frames == 5
    assert found.knows_gaps


def test_a_stream_without_a_good_frame_is_restored_as_it_decodes() -> None:
    track = make.track(rate=Fraction(25), frames=3)
    assert without_overwritten(track, range(3), Fraction(1, 25), frozenset(range(3))) == track
