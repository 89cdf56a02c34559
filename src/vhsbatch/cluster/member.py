"""How this machine helps one run: with which tools, in which folders, on which devices."""

import math
import platform
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vhsbatch.cluster.files import SOURCE, files_of, is_source
from vhsbatch.cluster.protocol import Offer, difference, fitting, mapped, parse_map
from vhsbatch.cluster.tools import tools
from vhsbatch.config.settings import Settings
from vhsbatch.engines.faces import faces_identity
from vhsbatch.engines.models import digest, shipped_models
from vhsbatch.engines.realesrgan import numbered
from vhsbatch.engines.registry import engine_named
from vhsbatch.errors import ToolError
from vhsbatch.ffmpeg.encoder_choice import choose_encoder
from vhsbatch.ffmpeg.qtgmc import qtgmc_versions
from vhsbatch.ffmpeg.toolchain import ffmpeg_tool
from vhsbatch.model.media import MediaInfo
from vhsbatch.model.plan import FaceRestoration, JobPlan, Upscaling
from vhsbatch.model.source import Joined
from vhsbatch.process.spawn import run
from vhsbatch.restore.workspace import Workspace, workspace_in
from vhsbatch.scheduling.engine_choice import choose_engine
from vhsbatch.scheduling.environment import survey
from vhsbatch.scheduling.gpus import Gpus
from vhsbatch.scheduling.sizing import LaneNeed, choose_lanes

_PROTOCOLS_S = 60

Retired = Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """How this machine helps one run.

    Attributes:
        workspace: where and with what it works.
        slots: how many segments it makes at a time.
        usable_bytes: memory that all of them together may take.
        gpus: what the model runs on, if not on the CPU.
        device: what the model runs on.
        spare_devices: what else it could run on.
        paths: where folders of the head's are on this machine.
        shares_folder: whether it sees the folder for segments.
    """

    workspace: Workspace
    slots: int
    usable_bytes: int
    gpus: Gpus
    device: str
    spare_devices: tuple[str, ...]
    paths: Mapping[str, str]
    shares_folder: bool = True

    def seen(self, name: str, path: Path, info: MediaInfo) -> Path | None:
        """Where this machine has a file of the head's, None if it is to be sent.

        Raises:
            ToolError: a part of a recording in several files is not seen here: these are not sent.
        """
        here = mapped(path, self.paths)
        if name != SOURCE:
            return here if here.is_file() else None
        if info.joined is None or len(info.joined.parts) == 1:
            return here if is_source(here, info.size_bytes, info.modified_ns) else None
        for part in info.joined.parts:
            if not is_source(mapped(part.path, self.paths), part.size_bytes, part.modified_ns):
                raise ToolError(
                    f"{platform.node()} does not see {part.path.name}, a part of a joined recording",
                    fix="share the folder with it, see --map-path, or leave --cluster out",
                )
        return here

    async def expect_deinterlacer(self, plan: JobPlan) -> None:
        """A single video of a run can ask for another deinterlacer than the run.

        Raises:
            ToolError: it does not run here, or is another version.
        """
        if "qtgmc" in plan.identity:
            found = await qtgmc_versions(self.workspace.vapoursynth_python)
            _expect_same(plan.identity, {"qtgmc": found})

    def adapted(self, plan: JobPlan, files: Mapping[str, Path]) -> JobPlan:
        """A plan with this machine's paths (`files`, by name) and devices.

        Raises:
            ToolError: the model is another one here.
        """
        upscaling = None if plan.upscaling is None else self._upscaling(plan.upscaling, files)
        preset = plan.preset
        if preset.colour.lut is not None:
            colour = preset.colour.model_copy(update={"lut": files["lut"]})
            preset = preset.model_copy(update={"colour": colour})
        # No file lies where a title of a DVD seems to be: its pieces say in which file they are.
        source = plan.info.path if plan.info.title is not None else files.get(SOURCE, plan.info.path)
        local = replace(
            plan,
            job=replace(
                plan.job,
                source=source,
                parts=tuple(mapped(part, self.paths) for part in plan.job.parts),
            ),
            info=replace(plan.info, path=source, joined=self._joined(plan.info.joined)),
            preset=preset,
            upscaling=upscaling,
            nnedi_weights=files.get("nnedi"),
            faces=None if plan.faces is None else self._faces(plan.faces, files),
        )
        if local.faces is not None:
            _expect_same(plan.identity, faces_identity(local.faces))
        if upscaling is not None:
            _expect_same(plan.identity, engine_named(plan.engine).identity(upscaling))
        return local

    def _joined(self, joined: Joined | None) -> Joined | None:
        if joined is None:
            return None
        parts = (replace(part, path=mapped(part.path, self.paths)) for part in joined.parts)
        title = joined.title
        if title is not None:
            pieces = (replace(piece, path=mapped(piece.path, self.paths)) for piece in title.pieces)
            title = replace(title, pieces=tuple(pieces))
        return replace(joined, parts=tuple(parts), title=title)

    def _faces(self, planned: FaceRestoration, files: Mapping[str, Path]) -> FaceRestoration:
        return replace(planned, param=files["face_param"], weights=files["face_weights"], device=self.device)

    def _upscaling(self, planned: Upscaling, files: Mapping[str, Path]) -> Upscaling:
        return replace(
            planned,
            models=tuple(
                replace(
                    model, param=files[numbered("param", number)], weights=files[numbered("weights", number)]
                )
                for number, model in enumerate(planned.models, 1)
            ),
            device=self.device,
            spare_devices=self.spare_devices,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """The limits that a Dask worker was started with.

    Attributes:
        threads: how many tasks it runs at a time.
        memory_bytes: its part of the machine's memory, None for all of it.
        given: the resources that a person said it has.
    """

    threads: int
    memory_bytes: int | None
    given: Mapping[str, float]


async def examine(settings: Settings, offer: Offer, limits: WorkerLimits, retired: Retired) -> Member | str:
    """How a machine would help, or why it cannot.

    Args:
        settings: how it runs.
        offer: what is asked of it.
        limits: what its Dask worker was given.
        retired: called when a GPU is taken out of use, with the reason.

    Raises:
        VhsBatchError: one of its tools does not work.
    """
    own = settings.model_copy(
        update={"engine": offer.engine, "runtime": offer.runtime or "auto"}
        | ({"device": "cpu"} if offer.on_cpu else {})
    )
    ffmpeg = await ffmpeg_tool(own.ffmpeg)
    choice = await choose_engine(own)
    found = tools(
        ffmpeg_version=ffmpeg.version,
        runtime=choice.runtime,
        device=choice.device,
        qtgmc=await qtgmc_versions(own.vapoursynth_python) if offer.tools.qtgmc else "",
    )
    if (why := difference(offer.tools, found)) is not None:
        return why
    await choose_encoder(offer.encoder, ffmpeg.path)
    machine = await survey(own, choice)
    machine = replace(machine, memory_bytes=min(machine.memory_bytes, limits.memory_bytes or sys.maxsize))
    need = LaneNeed(memory_bytes=offer.lane_bytes)
    lanes = choose_lanes(own.parallel, machine, engine=offer.engine, videos=1, need=need).begin
    slots = fitting(min(lanes, limits.threads), limits.given, offer.needs)
    if not slots:
        given, needs = _in_words(limits.given), _in_words(offer.needs)
        return f"its Dask worker has --resources {given}, and a segment takes {needs}"
    each = machine.slots_per_gpu or math.ceil(slots / max(1, len(choice.gpus)))
    paths = parse_map(offer.map_path) | parse_map(own.map_path)
    folder = mapped(offer.folder, paths)
    return Member(
        workspace=workspace_in(folder, own, ffmpeg=ffmpeg.path, threads=max(1, machine.threads // slots)),
        slots=slots,
        usable_bytes=machine.usable_bytes,
        gpus=Gpus(choice.gpus, slots=each, retired=retired),
        device=choice.device,
        spare_devices=choice.spare_devices,
        paths=paths,
    )


def _in_words(resources: Mapping[str, float]) -> str:
    """As `dask worker` takes them."""
    return ",".join(f"{name}={amount:.0f}" for name, amount in resources.items())


async def reads_by_http(ffmpeg: str) -> bool:
    """Whether an FFmpeg can read what another machine has: it can be built without that."""
    finished = await run((ffmpeg, "-hide_banner", "-loglevel", "error", "-protocols"), timeout_s=_PROTOCOLS_S)
    return b"http" in finished.stdout.split()


def files_here(plan: JobPlan) -> dict[str, Path]:
    """The files that a segment is made from; models that came with the packages are on every machine.

    They are known by their content.
    """
    files = files_of(plan)
    if plan.upscaling is not None:
        shipped = {(digest(model.param), digest(model.weights)): model for model in shipped_models()}
        for number in range(1, len(plan.upscaling.models) + 1):
            names = numbered("param", number), numbered("weights", number)
            model = shipped.get((plan.identity.get(names[0], ""), plan.identity.get(names[1], "")))
            if model is not None:
                files |= dict(zip(names, (model.param, model.weights), strict=True))
    return files


def holds_token(token: Path, text: str) -> bool:
    """Whether the file by which the head shows its folder is seen here."""
    try:
        return token.read_text(encoding="ascii") == text
    except OSError:
        return False


def _expect_same(planned: Mapping[str, str], here: Mapping[str, str]) -> None:
    for name, value in here.items():
        if planned.get(name) != value:
            what = "QTGMC" if name == "qtgmc" else f"the model's {name}"
            raise ToolError(
                f"{what} on {platform.node()} is {value}, in the plan {planned.get(name)}",
                fix="install the same packages on all machines",
            )
