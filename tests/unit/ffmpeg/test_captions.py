"""Captions of the source as a SubRip file of the result."""

from fractions import Fraction

import make
from vhsbatch.ffmpeg.captions import caption_notes, srt_text
from vhsbatch.model.media import Caption, Captions
from vhsbatch.model.trim import Excerpt

CUES = (
    Caption(from_s=10 / make.NTSC_RATE, to_s=Fraction(2), text="one"),
    Caption(from_s=Fraction(3), to_s=None, text="two\nlines"),
)
SOURCE = make.info(captions=Captions(place="on line 21", cues=CUES))


def test_a_caption_begins_no_later_than_its_frame_and_the_last_one_ends_with_the_picture() -> None:
    assert srt_text(SOURCE) == (
        "1\n00:00:00,333 --> 00:00:02,000\none\n\n2\n00:00:03,000 --> 00:00:10,010\ntwo\nlines\n\n"
    )
    assert list(caption_notes(SOURCE)) == ["2 captions on line 21, kept as subtitles"]


def test_an_excerpt_has_what_is_shown_in_it() -> None:
    excerpt = Excerpt(first_frame=30, stop_frame=60, from_s=Fraction(1), to_s=Fraction(5, 2))
    assert srt_text(SOURCE, excerpt) == "1\n00:00:00,000 --> 00:00:01,000\none\n\n"
    before = Excerpt(first_frame=0, stop_frame=3, from_s=Fraction(0), to_s=Fraction(1, 10))
    assert not srt_text(SOURCE, before)
    assert not list(caption_notes(SOURCE, before))


def test_a_source_without_captions_has_none() -> None:
    assert not srt_text(make.info())
    assert not list(caption_notes(make.info()))
