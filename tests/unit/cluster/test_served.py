"""A source that is read from afar, through the loopback address."""

from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse

from vhsbatch.cluster import files
from vhsbatch.cluster.served import SourceServer
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
