"""A source that is read from afar, through the loopback address."""

import os
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse

from vhsbatch.cluster import files
from vhsbatch.cluster import source_server as module
from vhsbatch.cluster.source_server import SourceServer, owner_of
from vhsbatch.errors import ChainError

pytestmark = pytest.mark.anyio

CONTENT = b"0123456789"


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 4)


async def block(number: int) -> bytes:
    return CONTENT[number * 4 : number * 4 + 4]


async def broken(number: int) -> bytes:
    raise ChainError("the head cannot read the source any more")


async def get(url: str, wanted: str = "bytes=0-") -> HTTPResponse:
    return await AsyncHTTPClient().fetch(url, headers={"Range": wanted})


@pytest.mark.parametrize(
    ("wanted", "content"),
    [
        ("bytes=0-", CONTENT),
        ("bytes=3-", CONTENT[3:]),
        ("bytes=4-8", CONTENT[4:9]),
        ("bytes=5-6", CONTENT[5:7]),
        ("bytes=9-99", CONTENT[9:]),
    ],
)
async def test_every_range_is_that_of_the_file(wanted: str, content: bytes) -> None:
    server = SourceServer()
    async with server.serving(block, size_bytes=len(CONTENT), suffix=".avi") as served:
        response = await get(served.url, wanted)
    server.stop()
    assert (response.code, response.body) == (206, content)
    assert response.headers["Content-Range"].endswith("/10")


@pytest.mark.parametrize(("wanted", "code"), [("bytes=10-", 416), ("bytes=x-", 400), ("frames=1-", 400)])
async def test_what_is_no_range_of_it(wanted: str, code: int) -> None:
    server = SourceServer()
    with pytest.raises(ChainError, match=f"HTTP {code}"):
        async with server.serving(block, size_bytes=len(CONTENT), suffix=".avi") as served:
            with pytest.raises(HTTPClientError, match=str(code)):
                await get(served.url, wanted)
    server.stop()


async def test_other_names_are_not_there_nor_is_this_one_for_long(tmp_path: Path) -> None:
    server = SourceServer()
    async with server.serving(block, size_bytes=len(CONTENT), suffix=".avi") as served:
        with pytest.raises(HTTPClientError, match="404"):
            await get(served.url.replace("/source", "x/source"))
    with pytest.raises(HTTPClientError, match="404"):
        await get(served.url)
    server.stop()


async def test_a_block_that_is_missing_fails_the_attempt_whatever_was_made_of_it() -> None:
    server = SourceServer()
    with pytest.raises(ChainError, match="cannot read the source"):
        async with server.serving(broken, size_bytes=len(CONTENT), suffix=".avi") as served:
            with pytest.raises(HTTPClientError):
                await get(served.url)
    server.stop()


async def test_a_block_that_is_too_short_fails_it_too() -> None:
    async def short(number: int) -> bytes:
        return (await block(number))[:-1]

    server = SourceServer()
    with pytest.raises(ChainError, match="too short"):
        async with server.serving(short, size_bytes=len(CONTENT), suffix=".avi") as served:
            with pytest.raises(HTTPClientError):
                await get(served.url)
    server.stop()


async def test_a_request_that_was_refused_fails_it_though_all_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = SourceServer()
    with pytest.raises(ChainError, match="HTTP 403"):
        async with server.serving(block, size_bytes=len(CONTENT), suffix=".avi") as served:
            await get(served.url)
            with monkeypatch.context() as patched:
                patched.setattr(module, "owner_of", lambda path, port: 1 + os.getuid())
                with pytest.raises(HTTPClientError):
                    await get(served.url)
    server.stop()


# What Linux prints, of a listener and of a connection of another user.
CONNECTIONS = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 18241 1
   1: 0100007F:D3A2 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 20117 1
"""


def test_whose_connection_it_is(tmp_path: Path) -> None:
    path = tmp_path / "tcp"
    path.write_text(CONNECTIONS)
    assert owner_of(path, port=0xD3A2) == 1000
    assert owner_of(path, port=0x1F90) == 0
    assert owner_of(path, port=1) is None
    assert owner_of(tmp_path / "not there", port=1) is None


async def test_others_on_this_machine_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "owner_of", lambda path, port: 1 + os.getuid())
    server = SourceServer()
    with pytest.raises(ChainError, match="HTTP 403"):
        async with server.serving(block, size_bytes=len(CONTENT), suffix=".avi") as served:
            with pytest.raises(HTTPClientError, match="403"):
                await get(served.url)
    server.stop()
