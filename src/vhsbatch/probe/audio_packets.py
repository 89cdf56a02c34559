"""The packets of an audio stream, decoded one by one: how much of them can be heard, when, and in which form.

Part of the child process that reads a file. What packets say of themselves is no measure: the first of some
codecs decode to nothing, others state no length, or another sample rate than they have.
"""

from fractions import Fraction
from typing import Any

import av


class AudioPackets:
    """What one audio stream decodes to."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._time_base = Fraction(stream.time_base)
        self.packets = 0
        self._undecoded = 0
        self._undecoded_at: int | None = None
        self._packet_tick: int | None = None
        # When the first frame is heard; of the last one that says so: when, and how many samples since then.
        self._first_tick: int | None = None
        self._last_tick = -(2**63)
        self._since_last = 0
        self._rate = 1
        self._samples: dict[int, int] = {}
        self._forms: dict[tuple[int, str, str], int] = {}
        self._changes_at_s: Fraction | None = None

    @property
    def is_heard(self) -> bool:
        """Whether any of it decodes."""
        return bool(self._forms)

    def add(self, packet: Any) -> None:
        """Take one packet in."""
        self.packets += 1
        tick = packet.dts if packet.pts is None else packet.pts
        if tick is not None:
            self._packet_tick = tick
        self._decode(packet)

    def finish(self) -> None:
        """Take in what the decoder still holds."""
        if self.packets:
            self._decode(None)

    def _decode(self, packet: Any) -> None:
        try:
            frames = self._stream.codec_context.decode(packet)
        except (av.FFmpegError, ValueError):
            if packet is not None:
                self._undecoded += 1
                self._undecoded_at = self._packet_tick if self._undecoded == 1 else self._undecoded_at
            return
        for frame in frames:
            if frame.samples and frame.sample_rate:
                self._hear(frame)

    def _hear(self, frame: Any) -> None:
        tick: int | None = frame.pts
        if self._first_tick is None:
            tick = next((at for at in (tick, self._packet_tick) if at is not None), 0)
            self._first_tick = tick
        rate, layout = frame.sample_rate, frame.layout
        form = rate, layout.name, frame.format.name
        if self._forms and form not in self._forms and self._changes_at_s is None:
            self._changes_at_s = self._end_s()
        self._forms[form] = layout.nb_channels
        if tick is None:
            self._since_last += frame.samples
        elif tick >= self._last_tick:
            self._last_tick, self._since_last = tick, frame.samples
        self._samples[rate] = self._samples.get(rate, 0) + frame.samples
        self._rate = rate

    def _end_s(self) -> Fraction:
        return self._last_tick * self._time_base + Fraction(self._since_last, self._rate)

    def summary(self) -> dict[str, Any]:
        """What an `AudioTrack` holds, of a stream that is heard; where its form changes, the richest one."""
        start_s = (self._first_tick or 0) * self._time_base
        heard_s = sum((Fraction(count, rate) for rate, count in self._samples.items()), Fraction(0))
        undecoded_at_s = None if self._undecoded_at is None else self._undecoded_at * self._time_base
        return {
            "index": self._stream.index,
            "codec": self.codec,
            "sample_rate_hz": max(rate for rate, _, _ in self._forms),
            "channels": max(self._forms.values()),
            "start_s": str(start_s),
            "end_s": str(self._end_s()),
            "language": self._stream.language,
            "heard_s": str(heard_s),
            "undecoded_packets": self._undecoded,
            "undecoded_at_s": None if undecoded_at_s is None else str(undecoded_at_s),
            "changes_at_s": None if self._changes_at_s is None else str(self._changes_at_s),
        }

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec."""
        name: str = self._stream.codec_context.codec.canonical_name
        return name

    @property
    def left_out(self) -> str | None:
        """Which stream it is, and why nothing of it can be kept; None where it is heard."""
        if self.is_heard:
            return None
        why = "none of its packets decodes" if self.packets else "it is empty"
        return f"stream {self._stream.index} ({self.codec}): {why}"
