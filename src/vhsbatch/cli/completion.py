"""`completion`."""

import sys
from typing import Literal

from vhsbatch.cli.app import app

Shell = Literal["bash", "zsh", "fish"]

# zsh takes a file in its path for a function of the file's name, which the function in it has not.
IN_ZSH = """\
if (( $+compstate )); then
  _cyclopts_vhs-upscale "$@"
else
  compdef _cyclopts_vhs-upscale vhs-upscale
fi
"""


def completion(shell: Shell, /) -> int:
    """Print a completion script for a shell.

    Args:
        shell: The shell.
    """
    sys.stdout.write(app.generate_completion(shell=shell) + (IN_ZSH if shell == "zsh" else ""))
    return 0
