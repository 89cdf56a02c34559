"""What an engine is: the part of a chain that makes frames larger."""

from typing import Protocol

from vhsbatch.model.plan import Upscaling
from vhsbatch.process.chain import StageSpec

# What the engine's stage of a chain is called.
UPSCALE = "upscale"
# What the stage that restores faces is called.
FACES = "faces"


class Engine(Protocol):
    """An upscaler. It is stateless: everything that it decides is in the plan.

    Attributes:
        name: the word that `--engine` takes.
    """

    name: str

    def identity(self, upscaling: Upscaling) -> dict[str, str]:
        """Versions and digests of all that the engine adds to a result, for the fingerprint."""
        ...

    def stage(
        self, upscaling: Upscaling, *, width: int, height: int, threads: int, skip_duplicates: bool = True
    ) -> StageSpec:
        """The child process that takes rgb24 frames on stdin and gives larger ones on stdout.

        Args:
            upscaling: how the model is used.
            width: input frame width in pixels.
            height: input frame height in pixels.
            threads: CPU threads that the stage may keep busy.
            skip_duplicates: whether a frame that equals the one before gets its result instead of being
                upscaled once more.
        """
        ...
