"""What a source is: the values that a probe reads and a plan is made from."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from vhsbatch.model.source import DvdTitle, InSpans, Joined, Served, Source, Span
from vhsbatch.model.trim import NO_TRIM, Trim

_SD_LINES = 600

# In place of a name, of a matrix for which FFmpeg refuses the frames.
INVALID_MATRIX = "invalid"


class FieldOrder(StrEnum):
    """Which field of a frame was recorded first, or that there are no fields.

    MIXED means that it changes within the source.
    """

    TFF = "tff"
    BFF = "bff"
    PROGRESSIVE = "progressive"
    MIXED = "mixed"
    UNKNOWN = "unknown"

    @property
    def has_fields(self) -> bool:
        """Whether a frame is known to have two fields of different times."""
        return self in (FieldOrder.TFF, FieldOrder.BFF, FieldOrder.MIXED)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRun:
    """Frames in a row whose fields are in one order.

    Attributes:
        first_frame: the grid position of the first of them; they reach to the next run.
        order: TFF or BFF.
    """

    first_frame: int
    order: FieldOrder


class Telecine(StrEnum):
    """How film was fitted into the frames of television.

    SOFT leaves the film's frames alone and holds some of them longer by flags; HARD has spread them over
    fields, four of them over five frames. SHIFTED is film at 25 a second: each frame has two fields, of
    which the second is recorded in the next frame.
    """

    NONE = "none"
    SOFT = "soft"
    HARD = "hard"
    SHIFTED = "shifted"

    @property
    def is_in_fields(self) -> bool:
        """Whether the film's frames have to be put together out of fields."""
        return self in (Telecine.HARD, Telecine.SHIFTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Colour:
    """How numbers mean colours, in FFmpeg's names; None where the source does not say.

    Attributes:
        matrix: for example ``smpte170m``, ``bt470bg``, ``bt709``.
        primaries: likewise.
        transfer: likewise.
        range: ``tv`` (limited) or ``pc`` (full).
    """

    matrix: str | None = None
    primaries: str | None = None
    transfer: str | None = None
    range: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Consecutive positions of the grid that have no frame.

    Attributes:
        start: the first of them.
        stop: the position after the last of them.
    """

    start: int
    stop: int

    @property
    def frames(self) -> int:
        """Number of positions."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureChange:
    """What the pictures of a source are like from one frame on, where they are not all alike.

    Attributes:
        at_s: when the first of them is shown, in seconds from the source's first frame.
        frame: its position on the source's grid.
        width: in pixels.
        height: in pixels.
        pixel_format: FFmpeg's name.
        sar: the sample aspect ratio that is stated, None where none is.
        colour: their matrix, transfer and range.
    """

    at_s: Fraction
    frame: int
    width: int
    height: int
    pixel_format: str
    sar: Fraction | None
    colour: Colour = Colour()


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoTrack:
    """The one video stream of a source that is restored.

    The source's frames are laid on a constant grid of `rate` that begins at `start_s`; everything
    downstream counts positions on that grid.

    Attributes:
        index: the stream's index in the container.
        codec: FFmpeg's decoder name.
        width: coded width in pixels.
        height: coded height in pixels.
        pixel_format: FFmpeg's name.
        sar: the sample aspect ratio that the source states, None where it states none.
        rate: frames per second of the grid.
        frames: how many positions the grid has.
        start_s: when the first frame that decodes is shown, on the container's clock, in seconds.
        constant_rate: whether every frame lies on its own grid position.
        repeated_frames: grid positions without a frame.
        dropped_frames: frames that share a position with an earlier one.
        gaps: where positions have no frame, in order; where there are very many, those of
            more than a second alone.
        overwritten: those gaps, or parts of them, whose frames decode to something that was never recorded:
            they are left out.
        flagged_order: the field order that container and frames state.
        field_order: the field order that was decided on.
        field_order_reason: why, in a few words.
        field_order_confidence: how sure that is, 0 to 1.
        order_runs: where a MIXED order changes, from the first frame on; empty where that is not certain.
        telecine: whether it is film in the frames of television.
        telecine_reason: how that was found, empty where nothing was looked for.
        telecine_confidence: how sure that is, 0 to 1.
        rotation_degrees: clockwise rotation for display: 0, 90, 180 or 270.
        mirrored: whether it is to be shown as in a mirror, too: upside down, before it is turned.
        colour: the colour tags.
        changes: where its pictures become other ones, the first entry being their beginning; empty where
            all are alike. What is said above is that of most of them.
    """

    index: int
    codec: str
    width: int
    height: int
    pixel_format: str
    sar: Fraction | None
    rate: Fraction
    frames: int
    start_s: Fraction
    constant_rate: bool = True
    repeated_frames: int = 0
    dropped_frames: int = 0
    gaps: tuple[Gap, ...] = ()
    overwritten: tuple[Gap, ...] = ()
    flagged_order: FieldOrder = FieldOrder.UNKNOWN
    field_order: FieldOrder = FieldOrder.UNKNOWN
    field_order_reason: str = "not examined"
    field_order_confidence: float = 0.0
    order_runs: tuple[OrderRun, ...] = ()
    telecine: Telecine = Telecine.NONE
    telecine_reason: str = ""
    telecine_confidence: float = 0.0
    rotation_degrees: int = 0
    mirrored: bool = False
    colour: Colour = Colour()
    changes: tuple[PictureChange, ...] = ()

    @property
    def mends_matrix(self) -> bool:
        """Whether it states a colour matrix with which FFmpeg takes no frame into a filter graph."""
        return self.colour.matrix == INVALID_MATRIX

    @property
    def knows_gaps(self) -> bool:
        """Whether `gaps` has every one."""
        return sum(gap.frames for gap in self.gaps) == self.repeated_frames

    @property
    def is_sd(self) -> bool:
        """Whether it has the lines of SD television or fewer, as every tape has."""
        return self.height <= _SD_LINES


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioTrack:
    """One audio stream of a source.

    Attributes:
        index: the stream's index in the container.
        codec: FFmpeg's codec name, for example ``pcm_s16le``.
        sample_rate_hz: samples per second; the most of it where that changes.
        channels: number of channels, likewise.
        start_s: when the first sample that decodes is heard, on the container's clock, in seconds.
        end_s: when the last one ends.
        language: ISO 639 code, or None.
        heard_s: how many seconds of it decode, None where that was not counted.
        undecoded_packets: packets that do not decode.
        undecoded_at_s: when the first of them would be heard, None where there is none or it does not say.
        changes_at_s: when its sample rate, its channels or its samples' format first change, None where they
            stay.
    """

    index: int
    codec: str
    sample_rate_hz: int
    channels: int
    start_s: Fraction
    end_s: Fraction
    language: str | None = None
    heard_s: Fraction | None = None
    undecoded_packets: int = 0
    undecoded_at_s: Fraction | None = None
    changes_at_s: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleTrack:
    """One subtitle stream of a source.

    Attributes:
        index: the stream's index in the container.
        codec: FFmpeg's codec name, ``unknown`` where nothing knows it.
    """

    index: int
    codec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """What a caption that the picture carries says.

    Attributes:
        from_s: when its first frame is shown, in seconds from the source's first frame.
        to_s: when its last one ends; None for the end of the source.
        text: its lines.
    """

    from_s: Fraction
    to_s: Fraction | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Captions:
    """Captions that the picture carries.

    Attributes:
        place: where, in words.
        cues: what they say, in their order.
    """

    place: str
    cues: tuple[Caption, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What of a source's video is not what was recorded.

    Attributes:
        frames: how many frames are damaged or could not be decoded at all.
        of_frames: of how many.
        places: where: the first and the last of frames that are near each other, in seconds from the first
            frame of the source.
    """

    frames: int
    of_frames: int
    places: tuple[tuple[Fraction, Fraction], ...]

    @property
    def percent(self) -> float:
        """Damaged frames of a hundred."""
        return 100 * self.frames / self.of_frames


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInfo:
    """All that is known of one source.

    Attributes:
        path: absolute path.
        size_bytes: file size when it was probed; of all files together.
        modified_ns: modification time when it was probed; that of the newest file.
        container: FFmpeg's demuxer name, for example ``mov,mp4,m4a,3gp,3g2,mj2``.
        declared_s: the duration that the container states, None where it states none.
        exact_seek: whether FFmpeg can start in the middle and find exactly the same frames.
        video: the video stream.
        audio: every audio stream, in the container's order.
        subtitles: every subtitle stream, likewise.
        other_streams: number of streams that are neither picture, sound nor subtitles.
        timecode: of the first frame, as the source states it, None where it states none.
        recorded: when a camera recorded it, in its own time: ``2024-07-08 19:55:58``; None where it does
            not say.
        pictures: number of still pictures in it, such as covers.
        tags: names of what else it says of itself, in small letters.
        notes: what the user should know of this source, one line each.
        damage: of its video, None where all of it decodes cleanly.
        captions: those that the picture carries, None where it carries none.
        trim: what the user wants of it.
        joined: the files of a recording in several, of which the first is `path`; None for a single file.
        spans: the parts of its stream that FFmpeg can follow; empty where it can follow all of it.
    """

    path: Path
    size_bytes: int
    modified_ns: int
    container: str
    declared_s: Fraction | None
    exact_seek: bool
    video: VideoTrack
    audio: tuple[AudioTrack, ...] = ()
    subtitles: tuple[SubtitleTrack, ...] = ()
    other_streams: int = 0
    timecode: str | None = None
    recorded: str | None = None
    pictures: int = 0
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    damage: Damage | None = None
    captions: Captions | None = None
    trim: Trim = NO_TRIM
    joined: Joined | None = None
    spans: tuple[Span, ...] = ()

    @property
    def source(self) -> Source:
        """What FFmpeg opens."""
        whole = self.path if self.joined is None else self.joined
        return InSpans(whole=whole, spans=self.spans, title=self.title) if self.spans else whole

    @property
    def title(self) -> DvdTitle | None:
        """Which title of a DVD it is; None where it is none."""
        return None if self.joined is None else self.joined.title

    def in_spans(self, served: Served) -> Served | InSpans:
        """What FFmpeg opens where it is handed out by another machine."""
        return InSpans(whole=served, spans=self.spans, title=self.title) if self.spans else served
