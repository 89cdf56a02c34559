"""The pages name tests, programs and other pages that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
NAVIGATION = (ROOT / "scripts" / "mkdocs.yml").read_text(encoding="utf-8")

# A link or a picture, and a heading.
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def prose(page: Path) -> str:
    """A page without its examples, in which `#` begins a comment."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The names that MkDocs gives the headings of a page."""
    return {
        re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())
        for heading in _HEADING.findall(prose(page))
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    tests = [str(path) for path in (ROOT / "tests").rglob("test_*.py")]
    named = set(re.findall(r"(?:[\w/]+/)?test_\w+\.py", page.read_text(encoding="utf-8")))
    assert [name for name in sorted(named) if not any(path.endswith(f"/{name}") for path in tests)] == []


def test_every_promise_and_every_fault_names_a_test() -> None:
    text = (DOCS / "reliability.md").read_text(encoding="utf-8")
    rows = [
        line
        for line in text.splitlines()
        if line.startswith("| ") and not line.startswith(("| promise", "| fault"))
    ]
    assert len(rows) > 40
    assert [row for row in rows if not re.search(r"`[\w/]*test_\w+\.py` \|$", row)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken = []
    for link in _LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_is_in_the_navigation() -> None:
    listed = set(re.findall(r"[\w/-]+\.md", NAVIGATION))
    pages = {str(page.relative_to(DOCS)) for page in DOCS.glob("*.md")} | {"decisions/index.md"}
    records = {f"decisions/{page.name}" for page in (DOCS / "decisions").glob("*.md")}
    assert pages <= listed <= pages | records
