"""`batch`."""

from pathlib import Path

from vhsbatch.cli.options import NO_BATCH_OPTIONS, BatchOptions


def batch(input_folder: str, output_folder: str, /, *, options: BatchOptions = NO_BATCH_OPTIONS) -> int:
    """Restore every video of a folder.

    Args:
        input_folder: Folder of captures. Nothing in it is ever changed.
        output_folder: Folder for the results. It is created if it does not exist.
        options: See `BatchOptions`.
    """
    # The help needs the signature alone.
    from vhsbatch.batch.ledger import read_ledger
    from vhsbatch.batch.ordering import priorities
    from vhsbatch.batch.request import jobs_of_folder, refuse_what_is_in_the_way
    from vhsbatch.batch.run import run_batch
    from vhsbatch.cli.configure import decide, expect_parts, request_for, rules_of
    from vhsbatch.cli.display import interfaces
    from vhsbatch.cli.dry_run import preview
    from vhsbatch.cli.integrations import integrations
    from vhsbatch.cli.resume import options_before
    from vhsbatch.errors import UsageError
    from vhsbatch.process.stop_signals import run_until_stopped

    source, folder = Path(input_folder), Path(output_folder)
    which = options.which
    if which.replan and not which.resume:
        raise UsageError("--replan continues a batch, and --resume is missing", fix="add --resume")
    if which.max_count is not None and which.max_count < 1:
        raise UsageError(f"--max-count {which.max_count} leaves no video", fix="use 1 or more")
    rules = rules_of(which, options.machine)
    before = options_before(folder, source) if which.resume else None
    options, settings, preset = decide(options, before, replan=which.replan)
    which = options.which
    chosen = jobs_of_folder(
        source,
        preset,
        read_ledger(folder.resolve()),
        pattern=which.pattern,
        recursive=which.recursive,
        suffix=which.suffix,
        max_count=which.max_count,
        join=which.join == "auto",
        order=which.order,
        by=priorities(which.priority),
        rules=rules,
    )
    refuse_what_is_in_the_way(chosen)
    request = request_for(
        chosen,
        rules,
        typed_input=input_folder,
        typed_output=output_folder,
        folder=folder.resolve(),
        options=options,
        settings=settings,
        preset=preset,
    )
    expect_parts(settings, options.cluster, request.preset, request.preset_named)
    if which.dry_run:
        return run_until_stopped(preview, request, options.display)
    return run_until_stopped(run_batch, request, interfaces(options.display), integrations(request))
