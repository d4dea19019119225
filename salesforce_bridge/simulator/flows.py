"""The one flow that we run: a saved record is copied into the org default of a custom setting."""

from collections.abc import Mapping

from salesforce_bridge.simulator.documents import Element
from salesforce_bridge.simulator.schema import FlowCopy

ORG_DEFAULT = {"SetupOwnerId": "$Organization.Id"}
"""What marks the row of a hierarchy custom setting that holds for everyone."""


def read_flow(flow: Element) -> FlowCopy:
    """The copy that a flow makes: find the org default, then update it or create it."""
    flow.understand(_STEPS | {"start"}, ignored=_LABELS)
    _demand(flow, "processType", "AutoLaunchedFlow")
    _demand(flow, "status", "Active")
    start = flow.child("start")
    start.understand(_START, ignored=_PLACES)
    _demand(start, "triggerType", "RecordAfterSave")
    trigger = start.text("recordTriggerType")
    if trigger not in _TRIGGERS:
        start.refuse(f"flow that starts on {trigger}")
    on_create, on_update = _TRIGGERS[trigger]
    setting, assignments = _copied(flow, _next(start))
    return FlowCopy(
        name=flow.name,
        trigger_object=start.text("object"),
        on_create=on_create,
        on_update=on_update,
        target_setting=setting,
        assignments=assignments,
    )


def _copied(flow: Element, first: str) -> tuple[str, Mapping[str, str]]:
    lookup, decision = flow.child("recordLookups"), flow.child("decisions")
    update, create = flow.child("recordUpdates"), flow.child("recordCreates")
    if (lookup.text("name"), _next(lookup)) != (first, decision.text("name")):
        flow.refuse("flow that does not find the setting first and then decide")
    setting = _found(lookup)
    if _branches(decision, lookup.text("name")) != (update.text("name"), create.text("name")):
        flow.refuse("flow that does not update a setting it found and create a missing one")
    assignments = _updated(update, setting)
    if _created(create, setting) != assignments:
        flow.refuse("flow that creates the setting otherwise than it updates it")
    return setting, assignments


def _found(lookup: Element) -> str:
    known = {"connector", "filterLogic", "filters", "getFirstRecordOnly", "object"}
    lookup.understand(
        known | {"storeOutputAutomatically"}, ignored=_PLACES | {"assignNullValuesIfNoRecordsFound"}
    )
    _demand(lookup, "getFirstRecordOnly", "true")
    _demand(lookup, "storeOutputAutomatically", "true")
    _demand_org_default(lookup)
    return lookup.text("object")


def _branches(decision: Element, found: str) -> tuple[str, str]:
    """Where a decision on whether the lookup found anything leads: if it did, if it did not."""
    decision.understand({"defaultConnector", "rules"}, ignored=_PLACES | {"defaultConnectorLabel"})
    rule = decision.child("rules")
    rule.understand({"conditionLogic", "conditions", "connector"}, ignored=_PLACES)
    condition = rule.child("conditions")
    condition.understand({"leftValueReference", "operator", "rightValue"})
    _demand(condition, "leftValueReference", found)
    _demand(condition, "operator", "IsNull")
    null = condition.child("rightValue").flag("booleanValue")
    there, otherwise = _next(rule), decision.child("defaultConnector").text("targetReference")
    return (otherwise, there) if null else (there, otherwise)


def _updated(update: Element, setting: str) -> Mapping[str, str]:
    update.understand({"filterLogic", "filters", "inputAssignments", "object"}, ignored=_PLACES)
    _demand(update, "object", setting)
    _demand_org_default(update)
    return _from_record(update, _assigned(update, "inputAssignments"))


def _created(create: Element, setting: str) -> Mapping[str, str]:
    create.understand(
        {"inputAssignments", "object"}, ignored=_PLACES | {"storeOutputAutomatically"}
    )
    _demand(create, "object", setting)
    assigned = _assigned(create, "inputAssignments")
    for field, value in ORG_DEFAULT.items():
        if assigned.pop(field, None) != value:
            create.refuse(f"record of a custom setting without {field} = {value}")
    return _from_record(create, assigned)


def _demand_org_default(step: Element) -> None:
    for each in step.children("filters"):
        _demand(each, "operator", "EqualTo")
    if step.text_or("filterLogic", "and") != "and" or _assigned(step, "filters") != ORG_DEFAULT:
        step.refuse("record looked for otherwise than by SetupOwnerId = $Organization.Id")


def _assigned(step: Element, tag: str) -> dict[str, str]:
    assigned = {}
    for each in step.children(tag):
        each.understand({"field", "operator", "value"})
        each.child("value").understand({"elementReference"})
        assigned[each.text("field")] = each.child("value").text("elementReference")
    return assigned


def _from_record(step: Element, assigned: Mapping[str, str]) -> Mapping[str, str]:
    if not assigned or not all(value.startswith("$Record.") for value in assigned.values()):
        step.refuse("values that do not come from the saved record")
    return {field: value.removeprefix("$Record.") for field, value in assigned.items()}


def _next(step: Element) -> str:
    connector = step.child("connector")
    connector.understand({"targetReference"})
    return connector.text("targetReference")


def _demand(element: Element, tag: str, value: str) -> None:
    if element.text(tag) != value:
        element.refuse(f"flow whose <{tag}> is {element.text(tag)}")


_STEPS = {"decisions", "recordCreates", "recordLookups", "recordUpdates"}
_START = {"connector", "object", "recordTriggerType", "triggerType"}
_TRIGGERS = {
    "Create": (True, False),
    "Update": (False, True),
    "CreateAndUpdate": (True, True),
}
_PLACES = {"description", "label", "locationX", "locationY", "name"}
_LABELS = {
    "apiVersion",
    "areMetricsLoggedToDataCloud",
    "description",
    "environments",
    "interviewLabel",
    "label",
    "processMetadataValues",
    "processType",
    "status",
}
