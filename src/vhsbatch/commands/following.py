"""What follows a batch, put together from the settings."""

import shutil

import anyio

from vhsbatch.errors import UsageError
from vhsbatch.following.hooks import Hooks
from vhsbatch.following.notices import Notices, check_addresses
from vhsbatch.following.report import Report
from vhsbatch.request import BatchRequest
from vhsbatch.session import Interface


def followers(request: BatchRequest) -> list[Interface]:
    """Everything that acts on the facts of a batch.

    Raises:
        UsageError: a command or an address cannot work; nothing has been done yet.
    """
    settings = request.settings
    report = (
        Report(folder=request.folder, ffmpeg=settings.ffmpeg, niceness=settings.nice)
        if settings.report
        else None
    )
    chosen: list[Interface] = [] if report is None else [report.follow]
    for option, command in (("--on-video", settings.on_video), ("--on-batch", settings.on_batch)):
        if command and shutil.which(command[0]) is None:
            raise UsageError(
                f"{option}: there is no program {command[0]!r}", fix="give its path, and make it executable"
            )
    if settings.on_video or settings.on_batch:
        hooks = Hooks(
            on_video=settings.on_video,
            on_batch=settings.on_batch,
            folder=request.folder,
            timeout_s=settings.hook_timeout_s,
            niceness=settings.nice,
            after=None if report is None else report.written,
        )
        chosen.append(hooks.follow)
    if settings.notify:
        anyio.run(check_addresses, settings.notify)
        chosen.append(Notices(addresses=settings.notify, on=settings.notify_on).follow)
    return chosen
