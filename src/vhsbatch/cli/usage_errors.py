"""What is wrong with the words of a command line, in one line with the fix."""

import shlex

from cyclopts import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    Token,
    UnknownOptionError,
    UnusedCliTokensError,
)

from vhsbatch.model.trim import TRIM_OPTIONS

_NUMBERS: dict[object, str] = {int: "a whole number", float: "a number"}
_OF_FOLDERS = ("batch", "watch")


def mistake(error: CycloptsError) -> str:
    """The line that refuses a command line."""
    cause, fix = _cause_and_fix(error)
    command = shlex.join(("vhs-upscale", *(error.command_chain or ())))
    return f"{cause} ({fix or f'{command} --help says what there is'})"


def _cause_and_fix(error: CycloptsError) -> tuple[str, str | None]:
    match error:
        case UnusedCliTokensError(unused_tokens=list(words)):
            return f"too many words: {shlex.join(words)}", "names with spaces need quotes"
        case CoercionError(token=token, target_type=kind) if token is not None and kind in _NUMBERS:
            option = token.keyword or (error.argument.name if error.argument is not None else "")
            return f"{option} {token.value}: must be {_NUMBERS[kind]}", None
        case MissingArgumentError(argument=argument) if argument is not None:
            typed = [name for name in argument.names if name in (error.root_input_tokens or ())]
            return f"{typed[0]} needs a value" if typed else f"{argument.name} is missing", None
        case UnknownOptionError(token=token) if _is_part_of_folder(error, option := _typed(token)):
            key = option.removeprefix("--")
            return (
                f"{option}: an excerpt is of one video",
                f"use vhs-upscale upscale VIDEO {option} …, "
                f'or write {key} = "1:30" into a file beside the video, such as tape.avi.toml',
            )
        case _:
            # The library's own sentence, which can hold line breaks.
            sentence = " ".join(str(error).split())
            if sentence.endswith("..."):
                # Of many commands it names the first few.
                sentence = sentence.partition(" Available commands:")[0]
            return sentence.rstrip("."), None


def _typed(token: Token) -> str:
    """The option that was typed, without its value."""
    return (token.keyword or token.value).partition("=")[0]


def _is_part_of_folder(error: CycloptsError, option: str) -> bool:
    return option in TRIM_OPTIONS and (error.command_chain or ("",))[0] in _OF_FOLDERS
