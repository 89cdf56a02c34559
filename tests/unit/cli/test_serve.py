"""Where `serve` listens, and the token that it keeps."""

import errno
import importlib.util
import os
import socket
import stat
import webbrowser
from pathlib import Path

import pytest

from vhsbatch.cli.serve import (
    address_of,
    listen,
    open_in_browser,
    serve,
    token_of,
)
from vhsbatch.errors import ToolError, UsageError
from vhsbatch.ui.web.access import parse_public_url


def test_a_token_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "token"
    token = token_of(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert token_of(path) == token == path.read_text().strip()


def test_a_token_that_others_can_read_is_none(tmp_path: Path) -> None:
    path = tmp_path / "token"
    token_of(path)
    path.chmod(0o640)
    with pytest.raises(UsageError, match=r"can be read by others \(chmod 600 "):
        token_of(path)


@pytest.mark.parametrize("content", ["", "secret\n", "\xff" * 30])
def test_a_file_without_a_token_is_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "token"
    path.write_text(content, encoding="latin-1")
    path.chmod(0o600)
    with pytest.raises(UsageError, match="holds no token of at least 20 letters"):
        token_of(path)
    assert path.read_text(encoding="latin-1") == content


def test_a_token_file_that_never_ends_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(UsageError, match="it is not a regular file"):
            token_of(tmp_path / name)


def test_a_token_file_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory"):
        token_of(tmp_path / "missing" / "token")
    with pytest.raises(UsageError, match="Is a directory"):
        token_of(tmp_path)


def test_a_free_port_is_found_and_one_in_use_is_refused() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        assert address_of("127.0.0.1", first, None) == f"http://127.0.0.1:{port}/"
        with pytest.raises(UsageError, match=rf"port {port} is in use \(.*--port 0"):
            listen("127.0.0.1", port)
        public = parse_public_url("https://films.example.org/tapes")
        assert address_of("127.0.0.1", first, public) == "https://films.example.org/tapes/"
        assert address_of("0.0.0.0", first, None) == f"http://{socket.gethostname()}:{port}/"
        assert address_of("::1", first, None) == f"http://[::1]:{port}/"


@pytest.mark.parametrize(
    ("host", "port", "cause"),
    [
        ("192.0.2.1", 0, "192.0.2.1 is no address of this machine"),
        ("no such host", 0, "--host no such host"),
        ("127.0.0.1", 70000, "port 70000"),
        ("127.0.0.1", -1, "port -1"),
    ],
)
def test_where_nobody_can_listen(host: str, port: int, cause: str) -> None:
    with pytest.raises(UsageError, match=cause):
        listen(host, port)


def test_a_port_of_the_administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: socket.socket, _where: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(UsageError, match=r"port 80 is for the administrator alone \(take one above 1023\)"):
        listen("127.0.0.1", 80)


def test_no_room_for_a_single_view_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--tabs 0: must be at least 1"):
        serve(tmp_path, tabs=0)


def test_packages_that_are_missing_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "textual_serve" else name)
    with pytest.raises(ToolError, match="pip install aiohttp textual-serve"):
        serve(tmp_path, tabs=0)


def test_only_a_browser_with_windows_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = list[str]()

    def remember(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setattr(webbrowser, "open", remember)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert not open_in_browser("http://127.0.0.1/")
    assert opened == []
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert open_in_browser("http://127.0.0.1/")
    assert opened == ["http://127.0.0.1/"]
