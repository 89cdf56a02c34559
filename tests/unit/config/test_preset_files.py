from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhsbatch.config.preset_files import find_preset, load_presets
from vhsbatch.config.presets import Preset
from vhsbatch.errors import UsageError

PROMISED = {
    "vhs_best",
    "vhs", "vhs_standard", "vhs_clean", "vhs_heavy", "vhs_archive", "dvd_interlaced", "dvd_progressive",
    "dvd", "webcam", "youtube_old", "youtube", "animation", "clean", "broadcast_1080i", "auto",
}  # fmt: skip
SHIPPED = load_presets()


def write(folder: Path, text: str, name: str = "my.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


class TestShipped:
    def test_all_that_are_promised_are_there(self) -> None:
        assert set(SHIPPED) == PROMISED

    @pytest.mark.parametrize("preset", SHIPPED.values(), ids=SHIPPED)
    def test_each_is_described_in_one_line(self, preset: Preset) -> None:
        assert 20 < len(preset.description) < 100
        assert "\n" not in preset.description
        assert not preset.description.startswith("like ")

    def test_no_two_make_the_same(self) -> None:
        made = {
            preset.model_dump_json(exclude={"name", "description"}): name for name, preset in SHIPPED.items()
        }
        assert set(made.values()) == set(SHIPPED)
        assert len({preset.description for preset in SHIPPED.values()}) == len(SHIPPED)

    def test_none_cuts_picture_away(self) -> None:
        for preset in SHIPPED.values():
            crop = preset.crop
            assert (crop.left, crop.right, crop.top, crop.bottom) == (0, 0, 0, 0)

    def test_interlaced_sources_keep_all_of_their_motion(self) -> None:
        assert SHIPPED["vhs_best"].deinterlace.method == "qtgmc"
        for name in ("auto", "clean", "vhs", "vhs_heavy", "vhs_archive", "dvd_interlaced", "broadcast_1080i"):
            assert SHIPPED[name].deinterlace.method == "bwdif"
            assert SHIPPED[name].deinterlace.rate == "field"

    def test_the_standard_chain_is_the_measured_one(self) -> None:
        denoise = SHIPPED["vhs_standard"].denoise
        assert denoise.method == "atadenoise"
        assert (
            denoise.luma_spatial,
            denoise.chroma_spatial,
            denoise.luma_temporal,
            denoise.chroma_temporal,
        ) == (2.0, 4.0, 4.5, 16.0)

    def test_the_archive_is_kept_without_loss_of_anything(self) -> None:
        archive = SHIPPED["vhs_archive"]
        assert archive.container == "mkv"
        assert archive.video.bit_depth == 10
        assert archive.audio.lossless
        assert archive.crop.mask_bottom_lines == 0


class TestUsersFiles:
    def test_a_shipped_name_changes_only_the_keys_it_names(self, tmp_path: Path) -> None:
        file = write(tmp_path, "[vhs]\ndenoise.luma_spatial = 1.0\n")
        vhs = load_presets([file])["vhs"]
        before = SHIPPED["vhs"]
        denoise = before.denoise.model_copy(update={"luma_spatial": 1.0})
        assert vhs == before.model_copy(update={"denoise": denoise})

    def test_a_changed_shipped_preset_leaves_its_heirs_alone(self, tmp_path: Path) -> None:
        presets = load_presets([write(tmp_path, "[vhs]\ntarget_height = 480\n")])
        assert presets["vhs_heavy"] == SHIPPED["vhs_heavy"]

    def test_a_new_name_starts_from_the_defaults(self, tmp_path: Path) -> None:
        presets = load_presets([write(tmp_path, "[mine]\ntarget_height = 480\n")])
        assert presets["mine"] == Preset(name="mine", target_height=480)
        assert list(presets) == [*SHIPPED, "mine"]

    def test_inheritance_goes_through_any_order_of_tables(self, tmp_path: Path) -> None:
        text = """
            [grandchild]
            inherits = "child"
            sharpen.amount = 0.1
            [child]
            inherits = "vhs"
            target_height = 720
        """
        presets = load_presets([write(tmp_path, text)])
        grandchild = presets["grandchild"]
        assert grandchild.target_height == 720
        assert grandchild.sharpen.amount == 0.1
        assert grandchild.sharpen.size == SHIPPED["vhs"].sharpen.size
        assert grandchild.denoise == SHIPPED["vhs"].denoise
        assert grandchild.description == "like child, with changes"

    def test_inheriting_from_its_own_name_means_the_earlier_one(self, tmp_path: Path) -> None:
        presets = load_presets([write(tmp_path, '[vhs]\ninherits = "vhs"\ntarget_height = 480\n')])
        assert presets["vhs"] == SHIPPED["vhs"].model_copy(update={"target_height": 480})

    def test_later_files_change_what_earlier_ones_say(self, tmp_path: Path) -> None:
        first = write(tmp_path, "[mine]\ntarget_height = 480\nsegment_s = 5\n", "first.toml")
        second = write(tmp_path, "[mine]\ntarget_height = 576\n", "second.toml")
        mine = load_presets([first, second])["mine"]
        assert (mine.target_height, mine.segment_s) == (576, 5)

    def test_another_encoder_brings_its_quality_and_container(self, tmp_path: Path) -> None:
        file = write(tmp_path, '[master]\ninherits = "vhs"\nvideo.encoder = "ffv1"\n')
        master = load_presets([file])["master"]
        assert master.video.quality is None
        assert master.container == "mkv"

    @pytest.mark.parametrize("chain", ['["bleed.pth", "x4plus"]', '"bleed.pth, x4plus"'])
    def test_the_models_of_a_chain_are_found_from_the_files_folder(self, chain: str, tmp_path: Path) -> None:
        file = write(tmp_path, f"[own]\nupscale.model = {chain}\n")
        model = load_presets([file])["own"].upscale.model
        assert model == f"{tmp_path / 'bleed.pth'},x4plus"

    @pytest.mark.parametrize("chain", ["[]", "[1]", "3", '""'])
    def test_what_names_no_models_is_refused(self, chain: str, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"upscale\.model"):
            load_presets([write(tmp_path, f"[own]\nupscale.model = {chain}\n")])

    def test_a_lut_is_found_from_the_files_folder(self, tmp_path: Path) -> None:
        (tmp_path / "warm.cube").write_text("LUT_3D_SIZE 2\n")
        file = write(tmp_path, '[warm]\ncolour.lut = "warm.cube"\n[warmer]\ninherits = "warm"\n')
        presets = load_presets([file])
        assert presets["warm"].colour.lut == tmp_path / "warm.cube"
        assert presets["warmer"].colour.lut == tmp_path / "warm.cube"

    @given(st.lists(st.sampled_from(["vhs", "dvd", "mine"]), max_size=5), st.integers(60, 2000))
    def test_whatever_is_not_named_stays(
        self, tmp_path_factory: pytest.TempPathFactory, names: list[str], half_height: int
    ) -> None:
        folder = tmp_path_factory.mktemp("presets")
        files = [
            write(folder, f"[{name}]\ntarget_height = {2 * half_height + 2 * index}\n", f"{index}.toml")
            for index, name in enumerate(names)
        ]
        presets = load_presets(files)
        for name, preset in presets.items():
            start = SHIPPED.get(name, Preset(name=name))
            last = max((index for index, other in enumerate(names) if other == name), default=None)
            height = start.target_height if last is None else 2 * half_height + 2 * last
            assert preset == start.model_copy(update={"target_height": height})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[mine]\ndenoise.luma_spacial = 1.0",
            "preset 'mine': denoise.luma_spacial: unknown key (did you mean 'denoise.luma_spatial'?)",
        ),
        ("[mine.denois]", "preset 'mine': denois: unknown key (did you mean 'denoise'?)"),
        ("[mine]\nquality = 18", "preset 'mine': quality: unknown key (did you mean 'video.quality'?)"),
        (
            "[mine]\nsharpen.xyz = 1",
            "preset 'mine': sharpen.xyz: unknown key "
            "(allowed: sharpen.amount, sharpen.by_response, sharpen.undo, sharpen.size)",
        ),
        ('[mine]\nname = "x"', "preset 'mine': unknown key 'name' (its name is that of its table)"),
        ("[mine]\ncrop.left = 66", "preset 'mine': crop.left = 66: must be less than or equal to 64"),
        ("[mine]\ncrop = 3", "preset 'mine': crop = 3: must be a table"),
        (
            "[mine]\ndenoise.luma_spatial = true",
            "preset 'mine': denoise.luma_spatial = true: must be a number",
        ),
        (
            '[mine]\ndeinterlace.method = "bwdiff"',
            "preset 'mine': deinterlace.method = \"bwdiff\": not one of the choices "
            "(did you mean 'bwdif'? allowed: none, bwdif, yadif, w3fdif, nnedi, qtgmc)",
        ),
        ("[mine]\nsharpen.size = 4", "preset 'mine': sharpen.size = 4: must be 3, 5, 7 or 9"),
        (
            '[mine]\nvideo = { encoder = "libx264", quality = 99 }',
            "preset 'mine': video.quality = 99: must be 0 to 51 for libx264",
        ),
        (
            '[mine]\ncontainer = "mp4"\nvideo.encoder = "prores"',
            "preset 'mine': prores does not fit into mp4: use mov or mkv",
        ),
        (
            "[mine]\nvideo.encoder = [1]",
            "preset 'mine': video.encoder = [1]: not one of the choices (allowed: ",
        ),
        (
            '[mine]\ninherits = "vhss"',
            "preset 'mine': inherits from 'vhss', which does not exist (did you mean 'vhs'? allowed: ",
        ),
        ("[mine]\ninherits = [1]", "preset 'mine': inherits: must be the name of a preset"),
        (
            '[a]\ninherits = "b"\n[b]\ninherits = "c"\n[c]\ninherits = "b"',
            "preset 'b': inherits from itself: b -> c -> b",
        ),
        ("mine = 3", "preset 'mine': must be a table (presets are tables: [mine])"),
        (
            '["my tape"]\nsegment_s = 3',
            "preset 'my tape': a preset's name has letters, digits, '_' and '-' alone",
        ),
        ('[mine]\ncolour.lut = "no.cube"', "preset 'mine': colour.lut: "),
    ],
)
def test_what_is_wrong_in_a_file_is_said_in_one_line(tmp_path: Path, text: str, expected: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load_presets([file])
    line = str(caught.value)
    assert "\n" not in line
    if expected.endswith(": "):
        assert line.startswith(f"{file}: {expected}")
    else:
        assert line == f"{file}: {expected}"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    missing, binary, broken = tmp_path / "missing.toml", tmp_path / "binary.toml", write(tmp_path, "[vhs\n")
    binary.write_bytes(b"\xff\xfe\x00")
    for file, expected in {
        missing: f"{missing} cannot be read: No such file or directory (give a TOML file in UTF-8)",
        tmp_path: f"{tmp_path} cannot be read: Is a directory (give a TOML file in UTF-8)",
        binary: f"{binary} is not a text file in UTF-8 (give a TOML file in UTF-8)",
    }.items():
        with pytest.raises(UsageError) as caught:
            load_presets([file])
        assert str(caught.value) == expected
    with pytest.raises(UsageError, match=r"my\.toml is not valid TOML: .*line 1"):
        load_presets([broken])


def test_a_name_that_is_nearly_right_is_recognised() -> None:
    assert find_preset(SHIPPED, "vhs") is SHIPPED["vhs"]
    with pytest.raises(UsageError) as caught:
        find_preset(SHIPPED, "vhs_haevy")
    assert str(caught.value).startswith(
        "there is no preset 'vhs_haevy' (did you mean 'vhs_heavy'? presets: auto, clean, vhs, "
    )
    with pytest.raises(UsageError, match=r"there is no preset 'q' \(presets: auto, "):
        find_preset(SHIPPED, "q")
