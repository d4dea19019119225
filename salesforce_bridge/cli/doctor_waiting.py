"""What the doctor says about that which waits for a person, each with the command that brings it to nothing."""

from collections.abc import Iterator

from salesforce_bridge.cli.doctor_checks import Check, State
from salesforce_bridge.cli.outstanding import AGES, Outstanding, on_old_keys


def waiting_checks(found: Outstanding) -> Iterator[Check]:
    """Judge the numbers that somebody has to bring to nothing."""
    yield _policy(found)
    yield _profiles(found)
    yield _circuit(found)
    yield _cases(found)
    yield _quarantine(found)
    yield _points(found)


def _policy(found: Outstanding) -> Check:
    if found.policy_file_differs:
        return Check(
            name="policy in use",
            state=State.WARN,
            text=f"{found.policy_version}; policy.file says something else, which is not used",
            fix="salesforce-bridge policy diff FILE, then policy apply FILE",
        )
    text = (
        found.policy_version
        if found.policy_activated
        else "none yet; the first cycle takes the file"
    )
    return Check(name="policy in use", state=State.PASS, text=text)


def _profiles(found: Outstanding) -> Check:
    if found.unconfirmed_profiles:
        return Check(
            name="profiles",
            state=State.WARN,
            text=f"no counsel has confirmed {', '.join(found.unconfirmed_profiles)}",
            fix="have them confirmed, and name who did in `confirmed_by`",
        )
    return Check(name="profiles", state=State.PASS, text="confirmed by counsel")


def _circuit(found: Outstanding) -> Check:
    if found.circuit_open:
        return Check(
            name="circuit",
            state=State.FAIL,
            text="a mass change holds everything but stops",
            fix="salesforce-bridge review circuit status",
        )
    return Check(name="circuit", state=State.PASS, text="closed")


def _cases(found: Outstanding) -> Check:
    text = f"{found.cases_due_soon} due in 7 days, {found.cases_overdue} overdue"
    if found.cases_overdue or found.cases_due_soon:
        state = State.FAIL if found.cases_overdue else State.WARN
        return Check(
            name="rights cases", state=state, text=text, fix="salesforce-bridge rights list"
        )
    return Check(name="rights cases", state=State.PASS, text=f"{found.cases_waiting} waiting")


def _quarantine(found: Outstanding) -> Check:
    promised = AGES[0][0]
    late = sum(number for age, number in found.claims_by_age.items() if age != promised)
    text = ", ".join(f"{age} {number}" for age, number in found.claims_by_age.items() if number)
    if late:
        return Check(
            name="quarantine",
            state=State.WARN,
            text=text,
            fix="salesforce-bridge review list; whatever nobody judges is closed in the end",
        )
    return Check(name="quarantine", state=State.PASS, text=text or "empty")


def _points(found: Outstanding) -> Check:
    points = sorted(found.points_by_version.items())
    text = ", ".join(f"key {key} made {number}" for key, number in points) or "none yet"
    if found.keys_lost:
        lost = ", ".join(map(str, found.keys_lost))
        return Check(
            name="contact points",
            state=State.FAIL,
            text=f"{text}; key {lost} is not in points.key_file, so what rests on it finds nobody",
            fix="put that key back into points.key_file, beside the current one",
        )
    old = on_old_keys(found)
    keep = f"; old keys still carry {old}, and work as long as they stay in points.key_file"
    return Check(name="contact points", state=State.PASS, text=text + (keep if old else ""))
