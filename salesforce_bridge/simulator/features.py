"""Parts of the platform that an org may do without, and a schema as it is without them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from salesforce_bridge.simulator.refusals import RequestRefused
from salesforce_bridge.simulator.schema import ObjectType, PermissionSet, Project

FEATURES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Campaign": ("Campaign", "CampaignMember"),
        "Individual": ("Individual",),
        "Lead": ("Lead",),
    }
)
"""What can be switched off, by the name of its first object, with all objects that go along."""


def without_features(project: Project, features: Iterable[str]) -> Project:
    """A schema that never heard of these objects, nor of a lookup to one; records wait unseen."""
    gone = frozenset(name for feature in features for name in objects_of(feature))
    if not gone:
        return project
    objects = {
        name: _without_lookups(found, gone)
        for name, found in project.objects.items()
        if name not in gone
    }
    sets = {name: _narrowed(each, objects) for name, each in project.permission_sets.items()}
    return replace(project, objects=objects, permission_sets=sets)


def objects_of(feature: str) -> tuple[str, ...]:
    """The objects that come and go with a feature."""
    if feature not in FEATURES:
        named = ", ".join(sorted(FEATURES))
        message = f"no feature is called {feature}; there are {named}"
        raise RequestRefused(400, "INVALID_OPERATION", message)
    return FEATURES[feature]


def _without_lookups(found: ObjectType, gone: frozenset[str]) -> ObjectType:
    fields = {
        name: field for name, field in found.fields.items() if gone.isdisjoint(field.reference_to)
    }
    return replace(
        found,
        fields=fields,
        one_of=tuple(name for name in found.one_of if name in fields),
        unique_together=tuple(
            names for names in found.unique_together if fields.keys() >= set(names)
        ),
    )


def _narrowed(grants: PermissionSet, objects: Mapping[str, ObjectType]) -> PermissionSet:
    return replace(
        grants,
        objects={name: each for name, each in grants.objects.items() if name in objects},
        fields={name: each for name, each in grants.fields.items() if _is_field(name, objects)},
    )


def _is_field(name: str, objects: Mapping[str, ObjectType]) -> bool:
    object_name, _, field = name.partition(".")
    return object_name in objects and field in objects[object_name].fields
