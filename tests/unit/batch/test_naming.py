import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhsbatch.batch.naming import folded, name_jobs, refuse_overwriting_sources
from vhsbatch.batch.parts import Recording
from vhsbatch.errors import UsageError
from vhsbatch.model.plan import Job

ROOT, OUT = Path("/in"), Path("/out")


def outputs(*names: str) -> list[str]:
    jobs = name_jobs([ROOT / name for name in names], ROOT, OUT, suffix="_1080p", extension="mp4")
    return [job.id for job in jobs]


def test_the_specified_name() -> None:
    assert outputs("video1.mp4") == ["video1_1080p.mp4"]


def test_sub_folders_are_mirrored() -> None:
    assert outputs("1998/summer/tape.avi") == ["1998/summer/tape_1080p.mp4"]


def test_equal_stems_keep_their_extensions() -> None:
    assert outputs("tape.avi", "tape.mov", "other.avi") == [
        "tape.avi_1080p.mp4",
        "tape.mov_1080p.mp4",
        "other_1080p.mp4",
    ]


def test_names_that_differ_in_case_alone_are_numbered() -> None:
    assert outputs("Tape.avi", "tape.avi") == ["Tape.avi_1080p.mp4", "tape.avi~2_1080p.mp4"]


def test_composed_and_decomposed_names_are_told_apart() -> None:
    composed, decomposed = (unicodedata.normalize(form, "Café.dv") for form in ("NFC", "NFD"))
    first, second = outputs(composed, decomposed)
    assert unicodedata.normalize("NFC", first) != unicodedata.normalize("NFC", second)


def test_equal_names_in_different_folders_are_no_conflict() -> None:
    assert outputs("a/tape.avi", "b/tape.mov") == ["a/tape_1080p.mp4", "b/tape_1080p.mp4"]


def test_a_very_long_name_still_fits_a_file_system() -> None:
    (name,) = outputs("ü" * 120 + ".dv")
    assert len(name.encode()) <= 255 - len(".attempt")
    assert name.endswith("_1080p.mp4")


@pytest.mark.parametrize("letter", ["x", "é", "漢", "\N{OPEN BOOK}"])
def test_very_long_names_that_differ_at_their_ends_are_told_apart(letter: str) -> None:
    stem = letter * (245 // len(letter.encode()))
    made = outputs(*(f"{stem}{end}.{kind}" for end in "abc" for kind in ("avi", "mov")))
    assert len(set(made)) == 6
    assert max(len(f"{name}.json".encode()) for name in made) <= 255


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.lists(NAMES.filter(lambda name: name not in (".", "..")), min_size=1, max_size=12, unique=True))
def test_no_two_outputs_are_one_file_on_any_disk(names: list[str]) -> None:
    made = outputs(*(f"{name}.avi" for name in names))
    assert len({unicodedata.normalize("NFC", name).casefold() for name in made}) == len(names)


def test_an_output_never_takes_the_place_of_a_source() -> None:
    jobs = name_jobs([ROOT / "a.mp4"], ROOT, ROOT, suffix="", extension="mp4")
    with pytest.raises(UsageError, match="is a source and would be overwritten"):
        refuse_overwriting_sources(jobs)


def test_a_recording_in_several_files_has_a_name_of_its_own_and_each_file_is_a_source() -> None:
    parts = (ROOT / "tape_1.avi", ROOT / "tape_2.avi")
    recording = Recording(parts=parts, name="tape_1_joined", evidence="")
    (job,) = name_jobs(
        parts[:1], ROOT, OUT, suffix="_1080p", extension="mp4", recordings={parts[0]: recording}
    )
    assert job.id == "tape_1_joined_1080p.mp4"
    assert (job.source, job.parts, job.files) == (parts[0], parts, parts)
    other = Job(id="b", index=2, source=ROOT / "b.avi", output=parts[1])
    with pytest.raises(UsageError, match=r"tape_2\.avi is a source and would be overwritten by"):
        refuse_overwriting_sources([job, other])


def named(known: dict[str, str], *names: str) -> list[str]:
    jobs = name_jobs(
        [ROOT / name for name in names],
        ROOT,
        OUT,
        suffix="_1080p",
        extension="mp4",
        known={folded(name): Path(source) for name, source in known.items()},
    )
    return [job.id for job in jobs]


def test_a_source_keeps_its_name_when_another_of_its_stem_arrives() -> None:
    known = {"tape_1080p.mp4": "/in/tape.mov"}
    assert named(known, "tape.avi", "tape.mov") == ["tape.avi_1080p.mp4", "tape_1080p.mp4"]
    # Also when only the newcomer is taken, or the first one has gone.
    assert named(known, "tape.avi") == ["tape.avi_1080p.mp4"]
    assert named({"tape.avi_1080p.mp4": "/in/tape.avi"}, "tape.avi") == ["tape.avi_1080p.mp4"]


def test_a_folder_that_has_moved_keeps_its_names() -> None:
    assert named({"tape_1080p.mp4": "/old/tape.avi"}, "tape.avi", "tape.mov") == [
        "tape_1080p.mp4",
        "tape.mov_1080p.mp4",
    ]


@given(
    st.lists(NAMES.filter(lambda name: name not in (".", "..")), min_size=2, max_size=8, unique=True),
    st.integers(1, 7),
)
def test_whatever_arrives_no_name_changes(stems: list[str], first: int) -> None:
    names = [f"{stem}{ending}" for stem in stems for ending in (".avi", ".mov")]
    before = dict(zip(outputs(*names[:first]), names[:first], strict=True))
    after = named({id_: f"/in/{name}" for id_, name in before.items()}, *names)
    assert after[:first] == list(before)
    assert len({folded(name) for name in after}) == len(names)


def test_a_link_to_a_source_is_not_overwritten(tmp_path: Path) -> None:
    source = tmp_path / "a.avi"
    source.touch()
    (tmp_path / "out.mp4").hardlink_to(source)
    job = Job(id="out.mp4", index=1, source=source, output=tmp_path / "out.mp4")
    with pytest.raises(UsageError, match="is a source and would be overwritten"):
        refuse_overwriting_sources([job])
