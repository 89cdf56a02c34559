"""What is measured of the sound before it is encoded: how loud its hiss is, and how loud it is itself."""

from vhsbatch.analysis.audio import measure_audio
from vhsbatch.ffmpeg.audio import MeasuredSound, heard_tracks
from vhsbatch.ffmpeg.loudness import measure_loudness
from vhsbatch.model.plan import JobPlan
from vhsbatch.process.stalls import no_stall
from vhsbatch.restore.workspace import Workspace


async def measure_sound(plan: JobPlan, workspace: Workspace) -> tuple[MeasuredSound, tuple[str, ...]]:
    """Measure what the preset needs to know of the sound.

    Hiss is measured first: as much as is heard of it is taken away, and no more; the loudness is that of
    what remains.

    Returns:
        What was measured, and what the user should know of it.

    Raises:
        ChainError: a track does not decode.
    """
    hiss_db, notes = await _hiss(plan, workspace)
    async with no_stall("measuring loudness", workspace.stall_timeout_s):
        loudness = await measure_loudness(plan, hiss_db, ffmpeg=workspace.ffmpeg, niceness=workspace.niceness)
    return MeasuredSound(hiss_db=hiss_db, loudness=loudness), notes


async def _hiss(plan: JobPlan, workspace: Workspace) -> tuple[dict[int, float], tuple[str, ...]]:
    reduction_db = plan.preset.audio.denoise_db
    levels_db: dict[int, float] = {}
    notes: list[str] = []
    for track in heard_tracks(plan) if reduction_db else ():
        async with no_stall("measuring hiss", workspace.stall_timeout_s):
            measured = await measure_audio(
                plan.info.source, track, ffmpeg=workspace.ffmpeg, seekable=plan.info.exact_seek
            )
        if measured is None:
            found = "its hiss could not be measured, and stays"
        elif measured.hiss_db is None:
            found = "no hiss is heard, so none is reduced"
        else:
            levels_db[track.index] = measured.hiss_db
            found = f"hiss of {measured.hiss_db:.0f} dB reduced by up to {reduction_db} dB"
        notes.append(f"audio track {plan.info.audio.index(track) + 1}: {found}")
    return levels_db, tuple(notes)
