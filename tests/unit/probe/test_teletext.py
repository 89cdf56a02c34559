"""Which teletext of a broadcast is read, and what is said of the rest."""

from fractions import Fraction

from vhsbatch.model.media import Caption, SubtitleTrack
from vhsbatch.probe.teletext import _cues, without_teletext

PICTURES = SubtitleTrack(index=2, codec="dvb_subtitle")
TELETEXT = SubtitleTrack(index=3, codec="unknown")


def test_teletext_is_no_subtitle_track() -> None:
    both = (PICTURES, TELETEXT)
    assert without_teletext(both, {}) == (both, None, None)
    kept, stream, note = without_teletext(both, {3: True})
    assert (kept, stream) == ((PICTURES,), 3)
    assert note == "teletext pages left out, other than subtitles"


def test_without_its_decoder_it_is_left_out_and_said() -> None:
    kept, stream, note = without_teletext([TELETEXT], {3: False})
    assert (kept, stream) == ((), None)
    assert note == "teletext left out: this FFmpeg is built without libzvbi, which reads it"


def test_cues_begin_with_the_frame_next_to_their_time() -> None:
    srt = "1\n00:00:02,041 --> 00:00:03,000\nONE \n two\n\n2\n00:00:04,000 --> 00:00:04,001\ngone\n\n"
    assert list(_cues(srt, Fraction(1), Fraction(25))) == [
        Caption(from_s=Fraction(26, 25), to_s=Fraction(2), text="ONE\ntwo")
    ]
