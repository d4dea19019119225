"""Salesforce's own description of its metadata, so that a wrong tag is found before an org refuses it.

Source files list their elements in another order than the description does, so every `sequence`
becomes a repeated `choice`; what that forgets (required, at most once) is counted separately.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from importlib import resources

from lxml import etree

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_XSD = "http://www.w3.org/2001/XMLSchema"


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """What a type says about one of its elements."""

    type_name: str
    required: bool
    repeats: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """Everything that can be said under a set of root types."""

    schema: etree.XMLSchema
    children: Mapping[str, Mapping[str, Child]]


def grammar_of(roots: tuple[str, ...]) -> Grammar:
    """Keep only what the roots reach: the whole description does not compile once it is relaxed."""
    declared = _declared_types()
    schema = etree.Element(f"{{{_XSD}}}schema", nsmap={"xsd": _XSD, "tns": NAMESPACE})
    schema.set("targetNamespace", NAMESPACE)
    schema.set("elementFormDefault", "qualified")
    for root in roots:
        etree.SubElement(schema, f"{{{_XSD}}}element", name=root, type=f"tns:{root}")
    children: dict[str, Mapping[str, Child]] = {}
    for name in sorted(_reachable(roots, declared)):
        if declared[name].tag == f"{{{_XSD}}}simpleType":
            schema.append(deepcopy(declared[name]))
            continue
        elements = _elements_of(name, declared)
        schema.append(_relaxed(name, elements))
        children[name] = {element.get("name", ""): _child(element) for element in elements}
    return Grammar(schema=etree.XMLSchema(etree.ElementTree(schema)), children=children)


def faults_in(document: etree._Element, *, grammar: Grammar) -> tuple[str, ...]:
    """Everything in a metadata file that an org would refuse, as far as its type can tell."""
    if not grammar.schema.validate(document):
        return tuple(str(grammar.schema.error_log).splitlines())
    return tuple(_miscounts(document, etree.QName(document).localname, grammar))


def _miscounts(element: etree._Element, type_name: str, grammar: Grammar) -> Iterator[str]:
    children = grammar.children.get(type_name)
    if children is None:
        return
    counts = Counter(etree.QName(child).localname for child in element.iterchildren("{*}*"))
    for name, child in children.items():
        if child.required and not counts[name]:
            yield f"line {element.sourceline}: {type_name} needs {name}"
        if counts[name] > 1 and not child.repeats:
            yield f"line {element.sourceline}: {type_name} takes one {name}, not {counts[name]}"
    for nested in element.iterchildren("{*}*"):
        yield from _miscounts(nested, children[etree.QName(nested).localname].type_name, grammar)


def _declared_types() -> dict[str, etree._Element]:
    wsdl = etree.fromstring((resources.files("simple_salesforce") / "metadata.wsdl").read_bytes())
    tags = (f"{{{_XSD}}}complexType", f"{{{_XSD}}}simpleType")
    return {kind.get("name", ""): kind for kind in wsdl.iter(*tags) if kind.get("name")}


def _reachable(roots: tuple[str, ...], declared: Mapping[str, etree._Element]) -> set[str]:
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in declared or name in seen:
            continue
        seen.add(name)
        waiting += [_local(element.get("type", "")) for element in _elements_of(name, declared)]
    return seen


def _elements_of(name: str, declared: Mapping[str, etree._Element]) -> tuple[etree._Element, ...]:
    """The elements of a type and of all it extends, each name once."""
    elements: dict[str, etree._Element] = {}
    lineage = name
    while lineage in declared:
        for element in declared[lineage].iter(f"{{{_XSD}}}element"):
            elements.setdefault(element.get("name", ""), element)
        extension = declared[lineage].find(f".//{{{_XSD}}}extension")
        lineage = "" if extension is None else _local(extension.get("base", ""))
    return tuple(elements.values())


def _relaxed(name: str, elements: tuple[etree._Element, ...]) -> etree._Element:
    relaxed = etree.Element(f"{{{_XSD}}}complexType", name=name)
    choice = etree.SubElement(relaxed, f"{{{_XSD}}}choice", minOccurs="0", maxOccurs="unbounded")
    for element in elements:
        copy = deepcopy(element)
        for bound in ("minOccurs", "maxOccurs"):
            copy.attrib.pop(bound, "")
        choice.append(copy)
    return relaxed


def _child(element: etree._Element) -> Child:
    return Child(
        type_name=_local(element.get("type", "")),
        required=element.get("minOccurs", "1") != "0",
        repeats=element.get("maxOccurs", "1") != "1",
    )


def _local(qualified: str) -> str:
    prefix, _, name = qualified.rpartition(":")
    return name if prefix == "tns" else ""
