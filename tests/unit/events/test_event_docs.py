"""The events as documents describe them, for programs that read `--json`.

``VHSBATCH_WRITE_GOLDEN=1 pytest tests/unit/events`` writes the schema anew.
"""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from vhsbatch.events.events import Event
from vhsbatch.events.serialize import dump, event_schema
from vhsbatch.events.telemetry import DeviceReading, DeviceReadings, DiskReading, LogLine, Progress

DOCS = Path(__file__).parents[3] / "docs"
SCHEMA_FILE = DOCS / "json-events.schema.json"
SCHEMA: dict[str, Any] = event_schema()
KINDS: dict[str, str] = SCHEMA["discriminator"]["mapping"]


def test_the_schema_is_the_programs() -> None:
    text = json.dumps(SCHEMA, indent=1) + "\n"
    if os.environ.get("VHSBATCH_WRITE_GOLDEN"):
        SCHEMA_FILE.write_text(text)
    assert SCHEMA_FILE.read_text() == text, "write it anew with VHSBATCH_WRITE_GOLDEN=1"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_event_and_each_of_its_keys_is_described(kind: str) -> None:
    text = (DOCS / "json-events.md").read_text()
    section = text.partition(f"### `{kind}`\n")[2].partition("\n### ")[0]
    keys = SCHEMA["$defs"][KINDS[kind].rpartition("/")[2]]["properties"].keys() - {"kind", "at_s"}
    missing = sorted(key for key in keys if f"`{key}`" not in section)
    assert section
    assert missing == []


PLAN = make.plan()
EVENTS: list[Event] = [
    make.batch_started(PLAN.job),
    make.planned(PLAN),
    make.started(PLAN),
    make.finished(PLAN),
    LogLine(level="info", text="x"),
    Progress(lane=1, job_id="a", stage="segment", segment=0, done_frames=1, total_frames=2, frames_per_s=1.5),
    DeviceReadings(
        devices=(DeviceReading(id="cpu", name="AMD EPYC", temperature_c=61.0),),
        disks=(DiskReading(folder="/out", free_bytes=1),),
    ),
]


@given(st.sampled_from(EVENTS))
def test_what_is_printed_is_valid(event: Event) -> None:
    jsonschema.validate(json.loads(dump(event)), SCHEMA)


def test_what_is_not_an_event_is_not_valid() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"kind": "job_failed", "at_s": 1.0}, SCHEMA)
