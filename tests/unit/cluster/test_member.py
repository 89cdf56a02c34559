"""The files of a recording in several, as another machine sees them."""

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import make
from vhsbatch.cluster.files import SOURCE, files_of
from vhsbatch.cluster.member import Member
from vhsbatch.errors import ToolError
from vhsbatch.model.media import MediaInfo
from vhsbatch.model.plan import JobPlan
from vhsbatch.model.source import DvdTitle, Joined, PartFile, Piece


def joined(folder: Path) -> MediaInfo:
    parts = []
    for number in (1, 2):
        path = folder / f"tape_{number}.avi"
        path.write_bytes(b"x" * number)
        parts.append(PartFile(path=path, size_bytes=number, modified_ns=path.stat().st_mtime_ns))
    return replace(make.info(), path=parts[0].path, joined=Joined(parts=tuple(parts)))


def test_all_files_must_be_seen_and_none_may_have_changed(tmp_path: Path) -> None:
    info, member = joined(tmp_path), SimpleNamespace(paths={})
    seen: Any = Member.seen
    assert seen(member, SOURCE, info.path, info) == info.path
    os.utime(tmp_path / "tape_2.avi", (0, 0))
    with pytest.raises(ToolError, match=r"does not see tape_2\.avi, .* \(share the folder with it"):
        seen(member, SOURCE, info.path, info)


def test_every_path_is_mapped(tmp_path: Path) -> None:
    info = joined(tmp_path)
    member: Any = SimpleNamespace(paths={str(tmp_path): "/mnt"})
    mapped: Any = Member._joined
    parts = mapped(member, info.joined).parts
    assert [part.path for part in parts] == [Path("/mnt/tape_1.avi"), Path("/mnt/tape_2.avi")]


def test_a_title_in_an_image_is_sent_and_its_pieces_are_mapped(tmp_path: Path) -> None:
    iso = tmp_path / "disc.iso"
    iso.write_bytes(b"x")
    state = iso.stat()
    part = PartFile(path=iso, size_bytes=1, modified_ns=state.st_mtime_ns)
    title = DvdTitle(number=1, pieces=(Piece(path=iso, start=0, stop=1),), streams=())
    info = replace(
        make.info(),
        path=tmp_path / "disc_title_01.dvd",
        size_bytes=1,
        modified_ns=state.st_mtime_ns,
        joined=Joined(parts=(part,), title=title),
    )
    seen: Any = Member.seen
    assert seen(SimpleNamespace(paths={}), SOURCE, iso, info) == iso
    assert seen(SimpleNamespace(paths={str(tmp_path): "/mnt"}), SOURCE, iso, info) is None
    mapped: Any = Member._joined
    of_title = mapped(SimpleNamespace(paths={str(tmp_path): "/mnt"}), info.joined).title
    assert [piece.path for piece in of_title.pieces] == [Path("/mnt/disc.iso")]


def test_a_model_of_faces_travels_and_runs_on_the_devices_of_the_machine() -> None:
    faces = make.faces(param=Path("/head/faces.param"), weights=Path("/head/faces.bin"))
    plan: JobPlan = replace(make.plan(), faces=faces)
    names = ("face_param", "face_weights")
    assert [files_of(plan)[name] for name in names] == [faces.param, faces.weights]
    here = dict(zip(names, (Path("/here/1"), Path("/here/2")), strict=True))
    member: Any = SimpleNamespace(device="1")
    adapted: Any = Member._faces
    assert adapted(member, faces, here) == replace(
        faces, param=Path("/here/1"), weights=Path("/here/2"), device="1"
    )
