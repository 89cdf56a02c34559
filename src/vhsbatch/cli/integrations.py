"""What follows a batch, put together from the settings."""

import shutil

from vhsbatch.batch.request import BatchRequest
from vhsbatch.batch.session import Interface
from vhsbatch.config.settings import Settings
from vhsbatch.errors import UsageError
from vhsbatch.integrations.hooks import Hooks
from vhsbatch.integrations.notifications import Notifications, check_addresses
from vhsbatch.integrations.report import Report
from vhsbatch.integrations.systemd import ServiceManager
from vhsbatch.process.stop_signals import run_until_stopped


def integrations(
    request: BatchRequest, *, report: bool = True, service_manager: ServiceManager | None = None
) -> list[Interface]:
    """Everything that acts on the facts of a batch.

    Args:
        request: the batch.
        report: whether its folder may get a report, if the settings want one.
        service_manager: who has been told of this process before; by default whoever started it.
    """
    settings = request.settings
    pages = Report(folder=request.folder, ffmpeg=settings.ffmpeg, niceness=settings.nice)
    reports = report and settings.report
    service_manager = service_manager or ServiceManager.of_environment()
    chosen: list[Interface] = [pages.follow] if reports else []
    if service_manager is not None:
        chosen.append(service_manager.follow)
    if settings.on_video or settings.on_batch:
        hooks = Hooks(
            on_video=settings.on_video,
            on_batch=settings.on_batch,
            folder=request.folder,
            timeout_s=settings.hook_timeout_s,
            niceness=settings.nice,
            after=pages.written if reports else None,
        )
        chosen.append(hooks.follow)
    if settings.notify:
        chosen.append(Notifications(addresses=settings.notify, on=settings.notify_on).follow)
    return chosen


def check_integrations(settings: Settings) -> None:
    """Find out whether what is to follow can work.

    Raises:
        UsageError: a command or an address cannot; nothing has been done yet.
    """
    for option, command in (("--on-video", settings.on_video), ("--on-batch", settings.on_batch)):
        if command and shutil.which(command[0]) is None:
            raise UsageError(
                f"{option}: there is no program {command[0]!r}", fix="give its path, and make it executable"
            )
    if settings.notify:
        run_until_stopped(check_addresses, settings.notify)
