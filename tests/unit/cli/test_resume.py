"""What `--resume` remembers, and what it refuses."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import make
from vhsbatch.batch.request import BatchRequest
from vhsbatch.cli.configure import preset_from, settings_from
from vhsbatch.cli.options import BatchOptions, FolderOptions, MachineOptions, ResultOptions
from vhsbatch.cli.resume import continued, options_before, remembered, title_before, with_title
from vhsbatch.errors import OutputFolderError, UsageError
from vhsbatch.events.events import BatchStarted
from vhsbatch.events.journal import Journal

DAY_S = 86400.0
BEGUN = BatchOptions(
    which=FolderOptions(
        pattern="*.dv", recursive=True, max_count=3, priority=("a b*=2", "c=1"), order="newest"
    ),
    result=ResultOptions(
        preset="vhs_heavy", crf=20, dropouts=True, max_damage=9, aspect="4:3", audio="voice"
    ),
    machine=MachineOptions(engine="ffmpeg", temp_dir=Path("/scratch"), nice=3),
)


def begun(options: BatchOptions = BEGUN) -> dict[str, str]:
    settings = settings_from(options.machine)
    return remembered(options, Path("/in"), preset_from(options.result, settings), settings)


def test_a_batch_continues_with_the_options_that_decide_its_results() -> None:
    options = continued(BatchOptions(), begun(), replan=False)
    assert options.which == BEGUN.which
    assert options.result == BEGUN.result
    # How hard the machine works may differ from run to run.
    assert options.machine == replace(BEGUN.machine, nice=None, device="auto", runtime="auto")


@pytest.mark.parametrize(
    "typed",
    [
        ResultOptions(crf=21),
        ResultOptions(preset="clean"),
        ResultOptions(keep_sar=True),
        ResultOptions(audio="music"),
        ResultOptions(deinterlace="qtgmc"),
        FolderOptions(pattern="*.avi"),
        FolderOptions(priority=("x=1",)),
        MachineOptions(engine="realesrgan"),
    ],
    ids=repr,
)
def test_another_option_is_refused_unless_the_rest_is_planned_again(typed: Any) -> None:
    group = {ResultOptions: "result", FolderOptions: "which", MachineOptions: "machine"}[type(typed)]
    options = replace(BatchOptions(), **{group: typed})
    with pytest.raises(UsageError, match="this batch was started with") as refused:
        continued(options, begun(), replan=False)
    assert "--replan" in str(refused.value)
    again = getattr(continued(options, begun(), replan=True), group)
    for name, value in vars(typed).items():
        if value != getattr(type(typed)(), name):
            assert getattr(again, name) == value


def test_options_that_say_what_the_preset_says_are_no_others() -> None:
    settings = settings_from(MachineOptions())
    preset = preset_from(ResultOptions(), settings)
    result = ResultOptions(
        resolution=preset.target_height,
        crf=preset.video.quality,
        encoder=preset.video.encoder,
        deinterlace=preset.deinterlace.method,
        vfr=preset.vfr,
    )
    options = continued(BatchOptions(result=result), begun(BatchOptions()), replan=False)
    assert options.result == result


def test_a_batch_whose_presets_were_chosen_is_not_continued_with_one_for_all() -> None:
    with pytest.raises(UsageError, match="started without --preset"):
        continued(BatchOptions(result=ResultOptions(preset="vhs")), begun(BatchOptions()), replan=False)


def test_a_batch_of_a_version_that_knew_other_presets_is_not_continued() -> None:
    before = begun() | {"preset_table": "{}"}
    with pytest.raises(OutputFolderError, match="--replan"):
        continued(BatchOptions(), before, replan=False)
    assert continued(BatchOptions(), before, replan=True).result.crf == 20


@pytest.mark.anyio
async def test_the_run_that_began_last_is_continued_although_its_clock_was_behind(tmp_path: Path) -> None:
    started = make.batch_started(make.plan().job)
    assert isinstance(started, BatchStarted)
    for run_id, at_s, crf in (("20300102T000000Z-a-1", DAY_S, "30"), ("20300101T000000Z-a-2", 0.0, "15")):
        async with await Journal.create(tmp_path / ".vhsbatch" / "journal", run_id) as journal:
            options = {"source": "/in", "crf": crf}
            await journal.append(replace(started, at_s=at_s, run_id=crf, options=options))
    before = options_before(tmp_path, Path("/in"))
    assert before is not None
    assert before["crf"] == "15"


def test_options_are_kept_as_json_writes_them_and_read_as_earlier_versions_did() -> None:
    kept = begun()
    assert (kept["dropouts"], kept["keep_sar"], kept["crf"], kept["suffix"]) == ("true", "false", "20", "")
    before = {**kept, "dropouts": "True", "keep_sar": "False", "recursive": "True"}
    assert continued(BatchOptions(), before, replan=False) == continued(BatchOptions(), kept, replan=False)
    with pytest.raises(UsageError, match="started without --keep-sar"):
        continued(BatchOptions(result=ResultOptions(keep_sar=True)), before, replan=False)


def test_the_title_of_a_dvd_is_remembered_beside_the_options() -> None:
    settings = settings_from(BEGUN.machine, BEGUN.which)
    preset = preset_from(BEGUN.result, settings)
    request = BatchRequest(
        input="disc.iso",
        output="out",
        jobs=(),
        folder=Path("/out"),
        preset=preset,
        settings=settings,
        options=begun(),
    )
    options = with_title(request, 2).options
    assert title_before(options) == 2
    assert options.items() >= begun().items()
    assert title_before(begun()) is None
    assert title_before(None) is None
