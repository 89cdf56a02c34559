"""Whose a file under a result's name is, and what that means for a source."""

import dataclasses
import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from vhsbatch.batch.ledger import Ledger
from vhsbatch.errors import InputError, StalePlanError
from vhsbatch.fs import sha256
from vhsbatch.model.plan import Job
from vhsbatch.model.source import Likeness, SourceIdentity, likeness, title_path
from vhsbatch.restore.ownership import Found, InTheWay, Nothing, Own, Result, standing
from vhsbatch.restore.record import FileRecord, PartRecord, Record, record_path
from vhsbatch.restore.reuse import expect_replaceable, expect_unchanged, sample_of

TAPE = SourceIdentity(path=Path("/in/tape.avi"), size_bytes=10, modified_ns=10**18, sha256="t")
RESULT = Result(source=TAPE, size_bytes=5, sha256="r", modified_ns=2 * 10**18)
FILE = Found(size_bytes=5, modified_ns=2 * 10**18)
OUT = Path("/out/tape_240p.mp4")


def stand(tape: SourceIdentity, found: Found | None, result: Result | None, **read: str) -> object:
    def digest(name: str) -> str:
        assert name in read, f"the {name} is read for nothing"
        return read[name]

    return standing(
        OUT,
        tape,
        found,
        result,
        digest_of_output=lambda: digest("output"),
        digest_of_source=lambda: digest("source"),
    )


def now(**changes: object) -> SourceIdentity:
    return dataclasses.replace(TAPE, sha256="", **changes)  # type: ignore[arg-type]


ELSEWHERE = Path("/day2/tape.avi")


def test_a_result_of_the_same_source_is_its_own() -> None:
    assert stand(now(), FILE, RESULT) == Own(RESULT)


@pytest.mark.parametrize(
    "changes", [{"modified_ns": 5}, {"path": ELSEWHERE}, {"path": ELSEWHERE, "modified_ns": 5}]
)
def test_content_decides_for_what_was_touched_or_moved(changes: dict[str, object]) -> None:
    assert stand(now(**changes), FILE, RESULT, source="t") == Own(RESULT)
    other = stand(now(**changes), FILE, RESULT, source="another")
    assert isinstance(other, InTheWay if "path" in changes else Nothing)


def test_a_source_that_grew_is_made_again_in_the_place_of_its_result() -> None:
    there = stand(now(size_bytes=20), FILE, RESULT)
    assert isinstance(there, Nothing)
    assert there.replaces == "r"
    assert "changed" in there.note


def test_the_result_of_all_parts_is_not_replaced_by_that_of_some() -> None:
    parts = tuple(Path(f"/in/tape_{number}.avi") for number in (1, 2, 3))
    whole = dataclasses.replace(TAPE, path=parts[0], parts=parts)
    result = dataclasses.replace(RESULT, source=whole)
    fewer = dataclasses.replace(whole, size_bytes=8, parts=parts[:2])
    there = stand(fewer, FILE, result)
    assert isinstance(there, InTheWay)
    assert not there.absolute
    for words in (str(OUT), "3 files", "tape_3.avi", "put it back", "--overwrite"):
        assert words in there.reason
    # One more is no loss.
    more = dataclasses.replace(whole, size_bytes=12, parts=(*parts, Path("/in/tape_4.avi")))
    assert isinstance(stand(more, FILE, result), Nothing)


def test_another_tape_never_takes_the_place_and_both_are_named() -> None:
    there = stand(now(path=ELSEWHERE, size_bytes=20), FILE, RESULT)
    assert isinstance(there, InTheWay)
    for words in (str(ELSEWHERE), str(OUT), str(TAPE.path), "--suffix", "--overwrite"):
        assert words in there.reason


@pytest.mark.parametrize(
    ("found", "result"),
    [
        (FILE, None),
        (dataclasses.replace(FILE, size_bytes=6), RESULT),
        (dataclasses.replace(FILE, modified_ns=1), RESULT),
        (dataclasses.replace(FILE, regular=False), RESULT),
        (FILE, dataclasses.replace(RESULT, source=None)),
    ],
)
def test_what_nothing_proves_is_in_the_way(found: Found, result: Result | None) -> None:
    assert isinstance(stand(now(), found, result, output="other"), InTheWay)


def test_a_result_that_was_copied_is_read_to_be_proven() -> None:
    assert stand(now(), dataclasses.replace(FILE, modified_ns=1), RESULT, output="r") == Own(RESULT)


def test_nothing_is_in_the_way_where_nothing_is() -> None:
    assert stand(now(), None, RESULT) == Nothing()


IDENTITIES = st.builds(
    SourceIdentity,
    path=st.sampled_from([Path("/a"), Path("/b")]),
    size_bytes=st.integers(0, 1),
    modified_ns=st.integers(0, 1),
    sha256=st.sampled_from(["", "x", "y"]),
)


def test_two_titles_of_one_disc_are_two_sources() -> None:
    first, second = (
        SourceIdentity(
            path=title_path(Path("/tapes"), "disc", number),
            size_bytes=1, sha256="x", parts=(Path("/tapes/disc.iso"),),
        )
        for number in (1, 2)
    )  # fmt: skip
    assert likeness(first, second) is Likeness.ANOTHER
    moved = dataclasses.replace(
        first, path=title_path(Path("/moved"), "disc", 1), parts=(Path("/moved/disc.iso"),)
    )
    assert likeness(first, moved) is Likeness.SAME


@given(IDENTITIES, IDENTITIES)
def test_only_place_and_time_or_content_make_two_sources_the_same(
    a: SourceIdentity, b: SourceIdentity
) -> None:
    alike = likeness(a, b)
    same_state = (a.path, a.size_bytes, a.modified_ns) == (b.path, b.size_bytes, b.modified_ns)
    same_content = a.size_bytes == b.size_bytes and bool(a.sha256) and a.sha256 == b.sha256
    assert (alike is Likeness.SAME) == (same_state or same_content)
    if alike is Likeness.UNREAD:
        assert a.size_bytes == b.size_bytes
        assert a.sha256
    if alike is Likeness.ANOTHER:
        assert a.path != b.path


@given(IDENTITIES, st.booleans(), st.integers(0, 2), st.integers(0, 3 * 10**9))
def test_nothing_is_replaced_that_is_no_proven_result_of_the_path(
    source: SourceIdentity, known: bool, size: int, time_ns: int
) -> None:
    result = dataclasses.replace(
        RESULT, source=dataclasses.replace(TAPE, path=Path("/a"), size_bytes=1), size_bytes=1
    )
    found = Found(size_bytes=size, modified_ns=time_ns)
    there = stand(source, found, result if known else None, output="q", source="z")
    if isinstance(there, Nothing):
        assert known
        assert size == 1
        assert there.replaces == result.sha256
        assert source.path == Path("/a")


# --- on disk -----------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_source_replaced_by_one_of_its_size_and_time_is_noticed(tmp_path: Path) -> None:
    source = tmp_path / "tape.dv"
    source.write_bytes(bytes(300_000))
    status = source.stat()
    job = dataclasses.replace(make.job(), source=source)
    info = make.info(path=source, size_bytes=status.st_size, modified_ns=status.st_mtime_ns)
    plan = make.plan(job, info=info, sample=sample_of(source))
    await expect_unchanged(plan)
    other = tmp_path / "other.dv"
    other.write_bytes(b"1" * 300_000)
    os.utime(other, ns=(status.st_mtime_ns, status.st_mtime_ns))
    source.unlink()
    source.symlink_to(other)
    with pytest.raises(StalePlanError, match="changed while it was being restored"):
        await expect_unchanged(plan)
    source.unlink()
    with pytest.raises(InputError, match="gone"):
        await expect_unchanged(plan)


@pytest.mark.anyio
async def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    output = tmp_path / "tape_1080p.mp4"
    job = dataclasses.replace(make.job(), output=output)
    await expect_replaceable(make.plan(job))
    output.write_bytes(b"mine")
    digest = await sha256(output)
    for replaces in ("", "0" * 64):
        with pytest.raises(InputError, match="not touched"):
            await expect_replaceable(make.plan(job, replaces=replaces))
    for replaces in (digest, "any"):
        await expect_replaceable(make.plan(job, replaces=replaces))
    output.unlink()
    output.symlink_to("nowhere")
    with pytest.raises(InputError, match="not touched"):
        await expect_replaceable(make.plan(job, replaces=digest))


def record_of(source: Path, output: Path, named: str, *parts: Path) -> None:
    """Put a record beside a result, of the time when that was called otherwise."""

    def file_of(path: Path, name: str) -> FileRecord:
        status = path.stat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return FileRecord(path=name, size_bytes=status.st_size, sha256=digest, modified_ns=status.st_mtime_ns)

    record = Record(
        format=1,
        program="1.0",
        made_at="",
        source=file_of(source, str(source)),
        output=file_of(output, named),
        frames=1,
        duration_s=0.04,
        width=320,
        height=240,
        rate="25",
        preset={},
        engine="",
        encoder="",
        tools={},
        notes=(),
        checks=(),
        segments=(),
        join="",
        parts=tuple(PartRecord(path=str(part), size_bytes=1, modified_ns=1) for part in parts),
    )
    record_path(output).write_text(json.dumps(dataclasses.asdict(record)))


def test_a_name_that_no_record_can_lie_beside_is_no_result(tmp_path: Path) -> None:
    longest = tmp_path / f"{'e' * 251}.avi"
    longest.touch()
    assert not Ledger(tmp_path).is_result(longest)


def test_a_result_that_was_renamed_with_its_record_is_one(tmp_path: Path) -> None:
    source, output = tmp_path / "tape.avi", tmp_path / "renamed_240p.mp4"
    source.write_bytes(b"tape")
    output.write_bytes(b"result")
    record_of(source, output, "tape_240p.mp4")
    ledger, job = Ledger(tmp_path), Job(id=output.name, index=1, source=source, output=output)
    assert ledger.is_result(output)
    assert isinstance(ledger.standing(job, records=True), Own)
    # Of a file of the same size, the record proves nothing.
    output.write_bytes(b"RESULT")
    assert not ledger.is_result(output)
    assert isinstance(ledger.standing(job, records=True), InTheWay)
    # The record of a result that is elsewhere is not replaced.
    output.unlink()
    assert isinstance(ledger.standing(job, records=True), InTheWay)


def test_a_record_alone_keeps_the_result_of_all_parts_while_one_is_missing(tmp_path: Path) -> None:
    first, second, output = (tmp_path / name for name in ("a_1.avi", "a_2.avi", "a_1_joined.mp4"))
    for path in (first, output):
        path.write_bytes(path.name.encode())
    record_of(first, output, output.name, first, second)
    first.write_bytes(b"what is left of it")
    job = Job(id=output.name, index=1, source=first, output=output)
    there = Ledger(tmp_path).standing(job, records=True)
    assert isinstance(there, InTheWay)
    assert "made of 2 files, of which a_2.avi is missing now" in there.reason


@pytest.mark.parametrize("content", ["[" * 100_000, '{"format": 1', "\0", '{"a": NaN}'])
def test_what_lies_beside_a_video_and_is_no_record_proves_nothing(content: str, tmp_path: Path) -> None:
    video = tmp_path / "tape.mp4"
    video.touch()
    record_path(video).write_text(content)
    assert not Ledger(tmp_path).is_result(video)
