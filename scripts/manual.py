"""Write the manual page, docs/man/vhs-upscale.1, from the program's help texts.

python scripts/manual.py [--check]

With --check the script writes nothing; the exit code says whether the page is up to date.
"""

import re
import sys
from pathlib import Path

from docutils.core import publish_string

from vhsbatch.cli import app
from vhsbatch.config.settings import ENV_PREFIX, Settings
from vhsbatch.config.sources import FILE_NAME
from vhsbatch.config.template import TABLES

PAGE = Path(__file__).parents[1] / "docs" / "man" / "vhs-upscale.1"

_HEAD = """
===========
vhs-upscale
===========

{summary}
{underline}

:Manual section: 1
:Manual group: vhsbatch

SYNOPSIS
========

::

    vhs-upscale batch IN OUT [-p PRESET] [--parallel N] [OPTIONS]
    vhs-upscale watch IN OUT [OPTIONS]
    vhs-upscale watch --config FILE [OPTIONS]
    vhs-upscale upscale VIDEO -o OUTPUT [OPTIONS]
    vhs-upscale COMMAND --help

"""

_FOOT = f"""
SETTINGS
========

Options overrule the environment, the environment overrules ``./{FILE_NAME}``, that overrules the user's own
``{FILE_NAME}`` (in the platform's folder for configuration, ``~/.config/vhsbatch`` on Linux), and all of
these overrule the defaults. ``vhs-upscale config show`` says where each value comes from.

{{settings}}

FILES
=====

``OUT/.vhsbatch``
    The journal, unfinished segments, and the pictures of the report.

``OUT/report.html``
    Every video before and after, what was found and made, and what failed.

``OUTPUT.json``
    Beside each result: how it was made, and what was verified.

``~/.local/state/vhsbatch/log/defect-*.txt``
    The details of a defect of this program: send them with your report.

EXIT STATUS
===========

0
    Every video succeeded or was skipped.

1
    Some videos failed, a single video cannot be read, or this program has a defect.

2
    A wrong option, preset or configuration file; nothing was done.

3
    FFmpeg, a runtime or a model is missing or does not work.

4
    The output folder cannot be used.

141
    The reader at the other end of the pipe has closed it; a batch itself continues.

130, 143, 129
    Interrupted by Ctrl-C, SIGTERM or a closed terminal; the same command with ``--resume`` continues.

EXAMPLES
========

::

    vhs-upscale batch captures restored -p vhs --parallel 2
    vhs-upscale batch captures restored --resume
    vhs-upscale test-presets tape.avi -o compare --multi-clip --presets vhs,vhs_heavy

SEE ALSO
========

ffmpeg(1), systemd.service(5)
"""


def page() -> str:
    """The manual page in roff."""
    text = app.generate_docs("rst", usage_name="vhs-upscale")
    # What a browser needs and a page on paper does not.
    text = re.sub(r"^\.\. _cyclopts.*\n|^\.\. contents::.*\n(?: {3}.*\n)*", "", text, flags=re.MULTILINE)
    # Help texts are plain words, in which a star is a star.
    text = re.sub(r"(?<!\*)\*(?!\*)", r"\\*", text)
    commands = text[text.index("**Commands:**") :]
    commands = "COMMANDS\n========\n" + commands.removeprefix("**Commands:**")
    summary = str(app.help).rstrip(".")
    settings = "\n\n".join(
        f"``{name}``{'' if name in TABLES else f', ``{ENV_PREFIX}{name.upper()}``'}\n"
        f"    {_sentence(field.description or '')}"
        for name, field in Settings.model_fields.items()
    )
    source = (
        _HEAD.format(summary=summary, underline="~" * len(summary))
        + commands
        + _FOOT.format(settings=settings)
    )
    roff = publish_string(
        source,
        writer="manpage",
        settings_overrides={"report_level": 2, "halt_level": 2, "output_encoding": "unicode"},
    )
    return str(roff)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(PAGE.read_text(encoding="utf-8") != page())
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
