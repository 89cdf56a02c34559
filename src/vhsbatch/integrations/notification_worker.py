"""Child process that sends one message.

    python -P -m vhsbatch.integrations.notification_worker [--check]

The message is one JSON object on standard input: `addresses`, `title`, `body`, `failure`. Addresses
hold passwords, so they are never on a command line, and messages about them name the service alone.
With ``--check`` nothing is sent. It is a separate process because a service that does not answer must
not hold up anything else. Exit code 1 and a line on standard error for each address that did not work.
"""

import html
import importlib.util
import json
import logging
import shutil
import subprocess
import sys
from typing import Any

DESKTOP = "desktop"
_PROGRAM = "notify-send"


def main(argv: list[str]) -> int:
    """Send what standard input says."""
    logging.disable(logging.CRITICAL)  # Apprise's own messages may hold addresses
    message = json.load(sys.stdin)
    problems = [
        problem
        for address in message["addresses"]
        if (problem := check(address) if "--check" in argv else send(address, message)) is not None
    ]
    if problems:
        sys.stderr.write("; ".join(problems) + "\n")
    return int(bool(problems))


def check(address: str) -> str | None:
    """Why no message can be sent to `address`; None if nothing speaks against it."""
    if address == DESKTOP and shutil.which(_PROGRAM) is not None:
        return None
    if importlib.util.find_spec("apprise") is None:
        missing = "needs the package apprise (pip install apprise)"
        return f"{service(address)} {missing}" + (
            f", or {_PROGRAM} (Debian: apt-get install libnotify-bin)" if address == DESKTOP else ""
        )
    if _apprise(address) is not None:
        return None
    return f"{service(address)} is not an address that Apprise supports (for example mailto://user:password@host)"


def send(address: str, message: dict[str, Any]) -> str | None:
    """Send the message to `address`; why that did not work, None if it did."""
    if (problem := check(address)) is not None:
        return problem
    if address == DESKTOP and shutil.which(_PROGRAM) is not None:
        return _show_on_desktop(message)
    import apprise

    kind = apprise.NotifyType.FAILURE if message["failure"] else apprise.NotifyType.SUCCESS
    sent = _apprise(address).notify(
        title=message["title"],
        body=message["body"],
        notify_type=kind,
        body_format=apprise.NotifyFormat.TEXT,
    )
    return None if sent else f"{service(address)} did not accept the message"


def service(address: str) -> str:
    """An address without what must stay secret.

    >>> service("mailto://user:password@example.org")
    'mailto://...'
    """
    name, colon, _ = address.partition("://")
    return f"{name}://..." if colon else name


def _apprise(address: str) -> Any:
    """The service of an address, None if there is none."""
    import apprise

    services = apprise.Apprise()
    return services if services.add("dbus://" if address == DESKTOP else address) else None


def _show_on_desktop(message: dict[str, Any]) -> str | None:
    urgency = "critical" if message["failure"] else "normal"
    # Desktops read some markup in the body.
    command = (_PROGRAM, "--app-name=vhs-upscale", f"--urgency={urgency}", "--", message["title"])
    done = subprocess.run(
        [*command, html.escape(message["body"], quote=False)], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return None
    said = " ".join(done.stderr.split())
    return f"{_PROGRAM} did not show the message: {said or f'exit code {done.returncode}'}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
