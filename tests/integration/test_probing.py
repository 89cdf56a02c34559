"""What is remembered of a source, and until when."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from clips import FFMPEG, make_clip
from vhsbatch.cache import Cache
from vhsbatch.errors import ToolError
from vhsbatch.ffmpeg.toolchain import FFmpeg
from vhsbatch.model.media import MediaInfo
from vhsbatch.probe.cached import Probing

pytestmark = pytest.mark.anyio


async def test_a_source_is_looked_at_once_until_it_changes(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "tape.avi", "-c:v", "ffv1", "-g", "1", seconds=0.4, size="64x48")

    async def probed(*, ffmpeg: str = FFMPEG, version: str = "9", truncated: bool = False) -> MediaInfo:
        with closing(Cache(tmp_path / "remembered.sqlite")) as cache:
            probing = Probing(
                ffmpeg=FFmpeg(path=ffmpeg, version=version, embedded=True),
                max_pixels=10_000,
                allow_truncated=truncated,
                cache=cache,
            )
            return await probing.probe(clip)

    first = await probed()
    # Nothing that is not there can have been started.
    nowhere = str(tmp_path / "no-ffmpeg")
    assert await probed(ffmpeg=nowhere) == first
    for other in ({"version": "10"}, {"truncated": True}):
        with pytest.raises(ToolError):
            await probed(ffmpeg=nowhere, **other)
    os.utime(clip, (0, 0))
    with pytest.raises(ToolError):
        await probed(ffmpeg=nowhere)
    assert (await probed()).modified_ns == 0


async def test_a_part_that_changes_is_noticed_although_all_are_as_long_and_as_new(tmp_path: Path) -> None:
    clips = [
        make_clip(tmp_path / f"{number}.avi", "-c:v", "ffv1", "-g", "1", seconds=0.4, size="64x48")
        for number in (1, 2)
    ]
    os.utime(clips[0], (1000, 1000))
    with closing(Cache(tmp_path / "remembered.sqlite")) as cache:
        ffmpeg = FFmpeg(path=FFMPEG, version="9", embedded=True)
        probing = Probing(ffmpeg=ffmpeg, max_pixels=10_000, cache=cache)
        info = await probing.probe(clips[0], parts=clips)
        assert info.video.frames == 26
        assert probing.recall(clips[0], parts=clips) == info
        assert probing.recall(clips[0]) is None
        os.utime(clips[0], (2000, 2000))
        assert probing.recall(clips[0], parts=clips) is None
