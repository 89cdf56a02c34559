"""Files that are joined one after the other: when each begins, and what their packets tell together."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from vhsbatch.errors import InputError
from vhsbatch.model.media import AudioTrack, FieldOrder
from vhsbatch.model.source import PartFile, Span
from vhsbatch.probe.reading import in_spans, join
from vhsbatch.probe.scan import Scan

SOUND = AudioTrack(
    index=1, codec="pcm_s16le", sample_rate_hz=48000, channels=2, start_s=Fraction(0), end_s=Fraction(4)
)
# 100 frames, 25 a second.
SCAN = Scan(
    container="avi", declared_s=Fraction(4), reach_s=Fraction(4), read_error=None, whole=True, videos=1,
    pictures=0, unknown_audio=0, index=0, codec="dvvideo", matrix=2, width=720, height=576, mirrored=False,
    time_base=Fraction(1, 25), rates=(Fraction(25),), stated_order=FieldOrder.BFF, ticks=tuple(range(100)),
    packets_without_time=0, keyframe_gap_s=Fraction(1, 25), jump_back_s=Fraction(0), jump_at_s=Fraction(0),
    looks=(), audio=(SOUND,),
)  # fmt: skip


def parts(count: int) -> list[PartFile]:
    return [
        PartFile(path=Path(f"/t_{number}.avi"), size_bytes=9, modified_ns=1) for number in range(1, count + 1)
    ]


def heard(until_s: Fraction) -> Scan:
    return replace(SCAN, audio=(replace(SOUND, end_s=until_s),))


def test_picture_follows_picture_and_sound_follows_sound() -> None:
    longer = Fraction(4) + Fraction(1, 100)
    joined, packets, notes = join(parts(3), [heard(longer), heard(longer - Fraction(1, 50)), SCAN])
    assert [part.picture_s for part in joined.parts] == [0, 4, 8]
    assert [part.sound_s for part in joined.parts] == [0, longer, 8]
    assert packets.ticks == tuple(range(300))
    assert packets.audio == (replace(SOUND, end_s=Fraction(12)),)
    assert packets.declared_s == packets.reach_s == 12
    assert not packets.truncated
    assert notes == ()


def test_sound_that_is_far_from_its_picture_begins_with_it_again() -> None:
    joined, _, notes = join(parts(2), [heard(Fraction(39, 10)), SCAN])
    assert joined.parts[1].sound_s == joined.parts[1].picture_s == 4
    assert notes == ("sound and picture end 100 ms apart before t_2.avi: its sound begins with its picture",)


def test_clocks_that_do_not_begin_at_zero_are_taken_into_account() -> None:
    late = replace(
        SCAN,
        start_s=Fraction(2),
        ticks=tuple(range(51, 151)),
        audio=(replace(SOUND, start_s=Fraction(2), end_s=Fraction(6)),),
    )
    joined, packets, _ = join(parts(2), [SCAN, late])
    # Its first frame is shown a frame after it begins.
    assert joined.parts[1].picture_s == 4 - Fraction(1, 25)
    assert joined.parts[1].sound_s == 4
    assert packets.ticks == tuple(range(200))


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (replace(SCAN, width=704), "picture size"),
        (replace(SCAN, codec="mjpeg"), "codec"),
        (replace(SCAN, container="mov"), "container"),
        (replace(SCAN, audio=()), "audio"),
        (replace(SCAN, audio=(replace(SOUND, channels=1),)), "audio"),
    ],
)
def test_files_of_different_kinds_are_refused_with_the_way_out(other: Scan, what: str) -> None:
    with pytest.raises(InputError, match=rf"t_1.avi and t_2.avi differ in {what} \(--join none") as refused:
        join(parts(2), [SCAN, other])
    assert refused.value.fix


def test_a_stream_in_more_spans_than_a_command_can_name_is_refused_with_a_place_to_cut() -> None:
    spans = tuple(Span(start=2 * at, stop=2 * at + 1, length_s=Fraction(2)) for at in range(20_000))
    assert in_spans(Path("/tapes/a.dv"), spans[:50]).spans == spans[:50]
    with pytest.raises(InputError, match="overwritten in 20000 places") as refused:
        in_spans(Path("/tapes/a.dv"), spans)
    assert refused.value.fix is not None
    assert "head -c 20000 IN > 1.dv; tail -c +20001 IN > 2.dv" in refused.value.fix
