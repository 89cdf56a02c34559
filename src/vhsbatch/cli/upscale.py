"""`upscale`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vhsbatch.cli.options import NO_UPSCALE_OPTIONS, BatchOptions, FolderOptions, UpscaleOptions


def upscale(
    video: Path,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    title: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    from_results: bool = False,
    options: UpscaleOptions = NO_UPSCALE_OPTIONS,
) -> int:
    """Restore one video.

    Args:
        video: The capture, or a DVD: an ISO, or a folder VIDEO_TS. It is never changed.
        output: The result: a file, or a folder in which it gets its usual name.
        title: Which title of a DVD; without it the longest, or with --resume that of the run before.
        resume: Continue an interrupted run, and keep its finished segments.
        overwrite: Make the result again, and replace a file with its name that vhs-upscale did not make.
        from_results: Restore the video even if it is a result itself.
        options: See `UpscaleOptions`.
    """
    # The help needs the signature alone.
    from vhsbatch.batch.captures import refuse_result
    from vhsbatch.batch.discs import title_for
    from vhsbatch.batch.dvd import refuse_part
    from vhsbatch.batch.ledger import read_ledger
    from vhsbatch.batch.parts import note_of_others
    from vhsbatch.batch.request import (
        Chosen,
        container_of,
        in_the_way,
        job_of_video,
        refuse_what_is_in_the_way,
    )
    from vhsbatch.batch.run import run_batch
    from vhsbatch.cli.configure import decide, expect_parts, request_for, rules_of
    from vhsbatch.cli.display import interfaces
    from vhsbatch.cli.integrations import integrations
    from vhsbatch.cli.resume import options_before, title_before, with_title
    from vhsbatch.fs import files_in
    from vhsbatch.probe.heads import heads_of
    from vhsbatch.process.stop_signals import run_until_stopped

    which = FolderOptions(resume=resume, overwrite=overwrite, from_results=from_results)
    folder = output if output.is_dir() or not output.suffix else output.parent
    before = options_before(folder, video) if resume else None
    decided, settings, preset = decide(
        BatchOptions(which=which, **vars(options)), before, replan=False, container=container_of(output)
    )
    rules = rules_of(which, options.machine)
    of_disc = title_for(video, title or title_before(before))
    job = job_of_video(video, output, preset, of_disc)
    if not from_results:
        refuse_result(video.resolve())
    if of_disc is None:
        refuse_part(video)
        note = note_of_others(job.source, files_in(job.source.parent), heads_of)
    else:
        note = of_disc.recording.note
    notes = () if note is None else (note,)
    chosen = Chosen((job,), in_the_way([job], read_ledger(job.output.parent), rules), notes)
    refuse_what_is_in_the_way(chosen)
    request = request_for(
        chosen,
        rules,
        typed_input=str(video),
        typed_output=str(output),
        folder=job.output.parent,
        options=decided,
        settings=settings,
        preset=preset,
    )
    if of_disc is not None:
        request = with_title(request, of_disc.number)
    expect_parts(settings, options.cluster, request.preset, request.preset_named)
    return run_until_stopped(
        run_batch, request, interfaces(options.display), integrations(request, report=False)
    )
