"""Metadata files, read so that nothing in them goes unnoticed: what is not understood is refused."""

from collections.abc import Collection
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree as ET

from salesforce_bridge.simulator.schema import ProjectRefused

NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"


class Element:
    """One XML element; it knows its file, so that a refusal can name it."""

    def __init__(self, path: Path, element: ET.Element) -> None:
        self.path = path
        self.tag = element.tag.removeprefix(NAMESPACE)
        self.value = (element.text or "").strip()
        self._children = tuple(Element(path, each) for each in element)

    @property
    def name(self) -> str:
        """The component that the file is about: `X` of `X.field-meta.xml`."""
        return self.path.name.removesuffix("-meta.xml").rpartition(".")[0]

    def understand(self, known: Collection[str], *, ignored: Collection[str] = ()) -> None:
        """Refuse any child that is neither acted upon nor knowingly ignored."""
        for child in self._children:
            if child.tag not in known and child.tag not in ignored:
                self.refuse(f"<{child.tag}> in <{self.tag}>")

    def children(self, tag: str) -> tuple["Element", ...]:
        """All children of that name, in order."""
        return tuple(child for child in self._children if child.tag == tag)

    def maybe(self, tag: str) -> "Element | None":
        """The one child of that name, if there is one."""
        found = self.children(tag)
        if len(found) > 1:
            self.refuse(f"more than one <{tag}> in <{self.tag}>")
        return found[0] if found else None

    def child(self, tag: str) -> "Element":
        """The one child of that name, which must be there."""
        found = self.maybe(tag)
        if found is None:
            self.refuse(f"<{self.tag}> without <{tag}>")
        return found

    def text(self, tag: str) -> str:
        """What a child says, which must be there."""
        return self.child(tag).value

    def text_or(self, tag: str, default: str) -> str:
        """What a child says, if it is there."""
        found = self.maybe(tag)
        return default if found is None else found.value

    def flag(self, tag: str, *, default: bool = False) -> bool:
        """A child that says true or false."""
        said = self.text_or(tag, "true" if default else "false")
        if said not in {"true", "false"}:
            self.refuse(f"<{tag}> that is neither true nor false")
        return said == "true"

    def number(self, tag: str) -> int:
        """A child that is a whole number; 0 without it."""
        said = self.text_or(tag, "0")
        if not said.isdecimal():
            self.refuse(f"<{tag}> that is no number")
        return int(said)

    def refuse(self, what: str) -> NoReturn:
        """Say that the file holds something that would not be honoured."""
        raise ProjectRefused(f"{self.path}: the simulator understands no {what}")


def read_document(path: Path, root: str) -> Element:
    """Read a metadata file whose outermost element is `root`."""
    text = path.read_text(encoding="utf-8")
    if "<!DOCTYPE" in text:
        raise ProjectRefused(f"{path}: metadata files have no document type")
    try:
        # The files are the operator's own, and without a document type XML cannot explode.
        element = ET.fromstring(text)  # noqa: S314  # entities are ruled out above
    except ET.ParseError as error:
        raise ProjectRefused(f"{path}: not well-formed: {error}") from error
    if element.tag != NAMESPACE + root:
        raise ProjectRefused(f"{path}: expected <{root}>, found <{element.tag}>")
    return Element(path, element)
