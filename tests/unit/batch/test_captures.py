"""Which files of a folder are captures: proof alone makes a result, and what is left out is said."""

import hashlib
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vhsbatch.batch.captures import Captures, captures_of, refuse_result
from vhsbatch.batch.ledger import read_ledger
from vhsbatch.batch.request import job_of_video, jobs_of_folder
from vhsbatch.batch.run import temporary_folder
from vhsbatch.config.presets import Preset
from vhsbatch.errors import UsageError
from vhsbatch.events.events import BatchStarted, JobPublished
from vhsbatch.events.serialize import dump
from vhsbatch.model.plan import Job
from vhsbatch.model.source import SourceIdentity
from vhsbatch.restore.comparisons import note

PRESET = Preset(name="p", target_height=240)


def ran(out: Path, source: Path, name: str, content: bytes = b"result") -> Path:
    """A run into `out` that has published `name`, made of `source`."""
    output = out / name
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(content)
    status = source.stat() if source.exists() else None
    identity = SourceIdentity(
        path=source,
        size_bytes=0 if status is None else status.st_size,
        modified_ns=0 if status is None else status.st_mtime_ns,
        sha256="0" * 64 if status is None else hashlib.sha256(source.read_bytes()).hexdigest(),
    )
    journal = out / ".vhsbatch" / "journal"
    journal.mkdir(parents=True, exist_ok=True)
    number = len(list(journal.iterdir()))
    facts = (
        BatchStarted(
            at_s=number,
            run_id=f"{number:04}",
            input=str(source.parent),
            output=str(out),
            options={},
            jobs=(Job(id=name, index=1, source=source, output=output),),
            lanes=1,
        ),
        JobPublished(
            at_s=number,
            job_id=name,
            fingerprint="f",
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            frames=1,
            wall_s=1,
            source=identity,
            modified_ns=output.stat().st_mtime_ns,
        ),
    )
    (journal / f"{number:04}.jsonl").write_text("".join(f"{dump(fact)}\n" for fact in facts))
    return output


def filled(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def captures(
    tapes: Path, out: Path, *, pattern: str = "*", recursive: bool = False, from_results: bool = False
) -> Captures:
    return captures_of(
        tapes, read_ledger(out.resolve()), pattern=pattern, recursive=recursive, from_results=from_results
    )


def names(found: Captures) -> list[str]:
    return [str(path.relative_to(found.root)) for path in found.sources]


def test_beside_their_sources_results_are_left_out_by_proof_and_said(tmp_path: Path) -> None:
    tapes = filled(tmp_path / "tapes", "tape.avi", "other_240p.mp4", "tape_480p.mp4")
    ran(tapes, tapes / "tape.avi", "tape_240p.mp4")
    found = captures(tapes, tapes)
    assert names(found) == ["other_240p.mp4", "tape.avi", "tape_480p.mp4"]
    assert list(found.notes) == ["left out: tape_240p.mp4 (a result of this program)"]
    # A recording that has taken the result's place is none.
    (tapes / "tape_240p.mp4").write_bytes(b"another recording")
    assert "tape_240p.mp4" in names(captures(tapes, tapes))


def test_a_result_of_the_same_size_that_was_replaced_is_none(tmp_path: Path) -> None:
    tapes = filled(tmp_path / "tapes", "tape.avi")
    result = ran(tapes, tapes / "tape.avi", "tape_240p.mp4")
    result.write_bytes(b"mine!!")
    os.utime(result, ns=(1, 1))
    assert names(captures(tapes, tapes)) == ["tape.avi", "tape_240p.mp4"]


def test_swapped_folders_are_refused(tmp_path: Path) -> None:
    tapes, out = filled(tmp_path / "in", "tape.avi"), tmp_path / "out"
    ran(out, tapes / "tape.avi", "tape_240p.mp4")
    filled(out, "edited.mp4")
    with pytest.raises(UsageError, match="input and output are swapped"):
        captures(out, tapes)
    with pytest.raises(UsageError, match="is the output folder of a batch"):
        captures(out, tmp_path / "third")
    found = captures(out, tapes, from_results=True)
    assert names(found) == ["edited.mp4"]


def test_a_folder_that_was_both_is_still_one_of_captures(tmp_path: Path) -> None:
    tapes = filled(tmp_path / "tapes", "tape.avi")
    ran(tapes, tapes / "tape.avi", "tape_240p.mp4")
    assert names(captures(tapes, tmp_path / "out")) == ["tape.avi"]


def test_folders_of_results_below_are_left_out_and_said(tmp_path: Path) -> None:
    tapes = filled(tmp_path / "tapes", "1/a.avi", "2/b.avi")
    ran(tapes / "done", tmp_path / "elsewhere.avi", "c_240p.mp4")
    ran(tapes / "2", tapes / "2/b.avi", "b_240p.mp4")
    found = captures(tapes, tmp_path / "out", recursive=True)
    assert names(found) == ["1/a.avi", "2/b.avi"]
    assert sorted(found.notes) == [
        "left out: 2/b_240p.mp4 (a result of this program)",
        "left out: done (a folder of results)",
    ]


def test_a_single_result_is_refused(tmp_path: Path) -> None:
    tapes, out = filled(tmp_path / "in", "tape.avi"), tmp_path / "out"
    result = ran(out, tapes / "tape.avi", "sub/tape_240p.mp4")
    with pytest.raises(UsageError, match=r"is a result of this program, made of .*tape\.avi"):
        refuse_result(result)
    refuse_result(tapes / "tape.avi")


def test_captures_that_the_pattern_leaves_out_are_not_overwritten_either(tmp_path: Path) -> None:
    tapes = filled(tmp_path / "tapes", "tape.avi", "tape_240p.mp4")
    with pytest.raises(UsageError, match=r"tape_240p\.mp4 is a source and would be overwritten"):
        jobs_of_folder(
            tapes, PRESET, read_ledger(tapes), pattern="*.avi", recursive=False, suffix=None, max_count=None
        )


def test_what_is_in_the_way_of_one_video_stops_no_other(tmp_path: Path) -> None:
    tapes, out = filled(tmp_path / "in", "a.avi", "b.avi"), filled(tmp_path / "out", "a_240p.mp4")
    chosen = jobs_of_folder(
        tapes, PRESET, read_ledger(out), pattern="*", recursive=False, suffix=None, max_count=None
    )
    assert [job.id for job in chosen.jobs] == ["a_240p.mp4", "b_240p.mp4"]
    assert list(chosen.in_the_way) == ["a_240p.mp4"]
    assert "this program did not make it" in chosen.in_the_way["a_240p.mp4"]


def test_a_result_that_would_replace_a_capture_need_not_stop_the_others(tmp_path: Path) -> None:
    tapes = filled(tmp_path / "tapes", "tape.avi", "tape_240p.mp4", "b.dv")
    chosen = jobs_of_folder(
        tapes,
        PRESET,
        read_ledger(tapes),
        pattern="*",
        recursive=False,
        suffix=None,
        max_count=None,
        refuses_all=False,
    )
    assert [job.source.name for job in chosen.jobs] == ["b.dv", "tape.avi", "tape_240p.mp4"]
    assert list(chosen.in_the_way) == ["tape_240p.mp4"]
    assert "tape_240p.mp4 is a source" in chosen.in_the_way["tape_240p.mp4"]
    assert "--suffix" in chosen.in_the_way["tape_240p.mp4"]


NAMES = st.sets(
    st.sampled_from([
        "tape.avi", "tape.mov", "Tape.avi", "tape_240p.mp4", "tape_240P.MP4", "tape.avi_240p.mp4",
        "tape_480p.mp4", ".tape.avi", "tape.part.mp4", "b.dv", "b_240p.mp4", "notes.txt",
    ])
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(NAMES, st.sets(st.sampled_from(["tape_240p.mp4", "b_240p.mp4", "tape_480p.mp4"])), st.booleans())
def test_every_matching_file_is_a_source_or_said_and_no_source_is_an_output(
    present: set[str], made: set[str], beside: bool
) -> None:
    with tempfile.TemporaryDirectory() as root:
        tapes = filled(Path(root).resolve() / "in", "x.avi", *present)
        out = tapes if beside else tapes.parent / "out"
        for name in made:
            ran(out, tapes / "x.avi", name)
        found = captures(tapes, out)
        left_out = [path for paths in found.left_out.values() for path in paths]
        videos = {path for path in tapes.iterdir() if path.suffix.lower() in (".avi", ".mov", ".mp4", ".dv")}
        assert {*found.sources, *left_out} == videos
        assert len(found.sources) + len(left_out) == len(videos)
        proven = {out / name for name in made}
        assert proven.isdisjoint(found.sources)
        assert {path for path in left_out if path.name[0] != "." and ".part" not in path.name} <= proven
        try:
            chosen = jobs_of_folder(
                tapes, PRESET, read_ledger(out), pattern="*", recursive=False, suffix=None, max_count=None
            )
        except UsageError as error:
            assert "is a source and would be overwritten" in error.cause
            return
        assert {job.output for job in chosen.jobs}.isdisjoint(found.sources)
        for job in chosen.jobs:
            assert not job.output.exists() or job.output in proven or job.id in chosen.in_the_way


def test_what_was_published_by_a_run_that_died_is_known(tmp_path: Path) -> None:
    tapes, out = filled(tmp_path / "in", "tape.avi"), tmp_path / "out"
    result = ran(out, tapes / "tape.avi", "tape_240p.mp4")
    (line,) = [line for line in _lines(out) if b"job_published" in line]
    for journal in (out / ".vhsbatch" / "journal").iterdir():
        journal.unlink()
    assert not read_ledger(out).is_result(result)
    (out / ".vhsbatch" / "published").mkdir()
    (out / ".vhsbatch" / "published" / "x.json").write_bytes(line)
    (out / ".vhsbatch" / "published" / "y.json").write_bytes(b"torn")
    assert read_ledger(out).is_result(result)
    # It had not been given its name yet: what is there is somebody's.
    result.write_bytes(b"mine, and longer")
    assert not read_ledger(out).is_result(result)


def _lines(out: Path) -> list[bytes]:
    return [
        line for path in (out / ".vhsbatch" / "journal").iterdir() for line in path.read_bytes().splitlines()
    ]


def test_a_link_to_a_result_is_one(tmp_path: Path) -> None:
    tapes, out = filled(tmp_path / "in", "tape.avi", "copy.avi"), tmp_path / "out"
    result = ran(out, tapes / "tape.avi", "tape_240p.mp4")
    (tapes / "linked.mp4").symlink_to(result)
    (tapes / "nowhere.mp4").symlink_to(tmp_path / "gone.mp4")
    (tapes / "tape-by-link.avi").symlink_to("tape.avi")
    found = captures(tapes, tmp_path / "other")
    assert [path.name for path in found.sources] == ["copy.avi", "tape-by-link.avi", "tape.avi"]
    assert found.left_out["a result of this program"] == [tapes / "linked.mp4"]


def test_a_single_video_keeps_the_name_that_a_batch_gave_it(tmp_path: Path) -> None:
    tapes, out = filled(tmp_path / "in", "tape.avi", "tape.mkv"), tmp_path / "out"
    for name in ("tape.avi", "tape.mkv"):
        ran(out, tapes / name, f"{name}_240p.mp4")
    assert job_of_video(tapes / "tape.avi", out, PRESET).id == "tape.avi_240p.mp4"
    # Another one of its folder has the plain name.
    ran(tmp_path / "out2", tapes / "tape.avi", "tape_240p.mp4")
    assert job_of_video(tapes / "tape.mkv", tmp_path / "out2", PRESET).id == "tape.mkv_240p.mp4"


@pytest.mark.parametrize("from_results", [False, True])
def test_segments_in_a_temporary_folder_below_the_captures_are_none(
    from_results: bool, tmp_path: Path
) -> None:
    tapes, out = filled(tmp_path / "in", "tape.avi", "vhsbatch-tests/tape.avi"), tmp_path / "out"
    work = temporary_folder(out, tapes)
    filled(work, "job/plan/segment-00000.mp4")
    found = captures(tapes, tmp_path / "other", recursive=True, from_results=from_results)
    assert found.sources == (tapes / "tape.avi", tapes / "vhsbatch-tests" / "tape.avi")
    assert found.left_out == {"unfinished work of this program": [work]}


async def test_comparisons_among_the_captures_are_none(tmp_path: Path) -> None:
    tapes = filled(tmp_path / "in", "clip1_vhs.mp4", "clip1_clean.mp4", "tape.avi")
    await note(tapes, [tapes / "clip1_vhs.mp4", tapes / "clip1_clean.mp4"])
    (tapes / "clip1_clean.mp4").write_text("another recording")
    found = captures(tapes, tmp_path / "out")
    assert [path.name for path in found.sources] == ["clip1_clean.mp4", "tape.avi"]
    assert found.left_out == {"a result of this program": [tapes / "clip1_vhs.mp4"]}
    with pytest.raises(UsageError, match="is a result of this program"):
        refuse_result(tapes / "clip1_vhs.mp4")
    for content in ("[" * 100_000, "[]", '{"clip1_vhs.mp4": 1}', "torn"):
        (tapes / ".vhsbatch-comparisons.json").write_text(content)
        assert len(captures(tapes, tmp_path / "out").sources) == 3
