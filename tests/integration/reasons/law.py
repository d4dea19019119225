"""The law of the scenarios: a purpose on every basis, and what another bundle may change about it."""

from functools import lru_cache

from salesforce_bridge.permissions.keys import Channel, PurposeKey, Use
from salesforce_bridge.permissions.policy import Policy, parse_policy


def _use(purpose: str, channel: str) -> Use:
    return Use(purpose=PurposeKey(purpose), channel=Channel(channel))


NEWS, NEWS_CALL, NEWS_POST = (_use("news", each) for each in ("EMAIL", "LIVE_CALL", "POST"))
OFFERS, TASTE = _use("offers", "EMAIL"), _use("taste", "EMAIL")
RESEARCH, CENSUS = _use("research", "EMAIL"), _use("census", "EMAIL")
SERVICE, DUTIES = _use("service", "EMAIL"), _use("duties", "EMAIL")
RESCUE = _use("rescue", "LIVE_CALL")
EVERYTHING = _use("*", "*")

_TEXT = """
version = "one"
controller = "acme"
controller_name = "Acme"
headline = "news"
default_country = "GB"
request_lapses_after = "30d"
quarantine_lasts = "30d"
review_notice = "30d"

[channels.EMAIL]
label = "E-mail"
point = "EMAIL"
flag = "HasOptedOutOfEmail"
[channels.LIVE_CALL]
label = "Telephone"
point = "PHONE"
flag = "DoNotCall"
[channels.POST]
label = "Post"
[channels.FAX]
label = "Fax"
flag = "HasOptedOutOfFax"

[jurisdictions]
UK = ["United Kingdom"]
DE = ["Germany"]

[purposes.news]  # consent
version = 1
status = "LIVE"
title = "News"
plain_text = "We tell you what is new."
direct_marketing = true
category = "MARKETING"
channels = ["EMAIL", "LIVE_CALL", "POST"]
address_scoped = ["EMAIL", "LIVE_CALL"]
max_age = "730d"
assignments = [{ basis = "CONSENT", effective_from = 2026-01-01 }]
expiry = [{ renew_before = ["60d", "30d", "7d"], grace = "30d" }]

[purposes.offers]  # a sale that stands in for a consent
version = 1
status = "LIVE"
title = "Offers to customers"
plain_text = "We tell customers about products like those they bought."
direct_marketing = true
visible = false
category = "MARKETING"
channels = ["EMAIL"]
assessment = "offers"
product_families = ["shoes"]
assignments = [{ basis = "LEGITIMATE_INTEREST", effective_from = 2026-01-01 }]

[purposes.taste]  # profiling
version = 1
status = "LIVE"
title = "What you may like"
plain_text = "We work out what you may like."
direct_marketing = true
visible = false
category = "MARKETING"
channels = ["EMAIL"]
involves = ["PROFILING"]
assignments = [{ basis = "CONSENT", effective_from = 2026-01-01 }]

[purposes.research]
version = 1
status = "LIVE"
title = "Research"
plain_text = "We ask how our products are used."
category = "CORRESPONDENCE"
channels = ["EMAIL"]
assessment = "research"
assignments = [{ basis = "LEGITIMATE_INTEREST", effective_from = 2026-01-01 }]

[purposes.census]
version = 1
status = "LIVE"
title = "Census"
plain_text = "We count for the town."
category = "CORRESPONDENCE"
channels = ["EMAIL"]
assignments = [{ basis = "PUBLIC_TASK", effective_from = 2026-01-01 }]

[purposes.service]
version = 1
status = "LIVE"
title = "Service"
plain_text = "We send what your contract needs."
category = "SERVICE"
channels = ["EMAIL"]
assignments = [{ basis = "CONTRACT", effective_from = 2026-01-01 }]

[purposes.duties]
version = 1
status = "LIVE"
title = "Duties"
plain_text = "We send what the law asks for."
category = "LEGAL_NOTICE"
channels = ["EMAIL"]
assignments = [{ basis = "LEGAL_OBLIGATION", effective_from = 2026-01-01 }]

[purposes.rescue]
version = 1
status = "LIVE"
title = "Emergencies"
plain_text = "We call when a product is dangerous."
category = "VITAL"
channels = ["LIVE_CALL"]
assignments = [{ basis = "VITAL_INTEREST", effective_from = 2026-01-01 }]

[notices.consent-1]
kind = "CONSENT"
version = 1
language = "en"
sha256 = "94d8b83e2398aceaf9b9d98909ab5822987af47924c700f2f2b856bbc6723ed8"
published_at = 2026-01-01
purposes = ["news", "taste"]

[notices.privacy-1]
kind = "PRIVACY"
version = 1
language = "en"
sha256 = "43c5403a2e5a416c24ba29bd92354b33ef49cba49ffa02a87795daf064be0d94"
published_at = 2026-01-01
purposes = ["offers", "research", "census", "service", "duties", "rescue"]

[assessments.offers]
approved_by = "dpo"
approved_at = 2026-01-01
review_due = 2029-01-01
purpose_test = "Customers like to know."
necessity_test = "There is no other way."
balancing_test = "They can say no in every message."
outcome = "It prevails."

[assessments.research]
approved_by = "dpo"
approved_at = 2026-01-01
review_due = 2026-12-01
purpose_test = "We want to learn."
necessity_test = "Asking is the only way."
balancing_test = "Once a year, and they can object."
outcome = "It prevails."

[limits]
loosen_max = 500
change_max = 2000
change_share = 0.3
change_from = 1000

[profiles.UNKNOWN]
version = 1
grades.EMAIL = "A"
grades.LIVE_CALL = "A"
stop_deadline = "15m"
reply_months = 1
extension_months = 2
evidence_retention = "1096d"

[profiles.UK]
version = 1
rules.EMAIL = "SOFT_OPT_IN"
rules.LIVE_CALL = "PRIOR_CONSENT"
stop_deadline = "15m"
reply_months = 1
extension_months = 2
evidence_retention = "2192d"

[profiles.DE]
version = 1
rules.EMAIL = "PRIOR_CONSENT"
double_opt_in_required = true
max_consent_age = "365d"
stop_deadline = "15m"
reply_months = 1
extension_months = 2
evidence_retention = "1827d"

[proofs.DOI_TOKEN]
trust = "SUBJECT_DIRECT"
grade = "A"

[surge]
floor = 50
share = 0.02
ceiling = 500
window = "1h"
bulk_authors = [{loaders}]
"""
RETIRED = (
    '[purposes.news]  # consent\nversion = 1\nstatus = "LIVE"',
    '[purposes.news]  # consent\nversion = 1\nstatus = "RETIRED"\nsuccessor = "taste"',
)
SERVICE_RETIRED = (
    '[purposes.service]\nversion = 1\nstatus = "LIVE"',
    '[purposes.service]\nversion = 1\nstatus = "RETIRED"',
)
_NOTICE = """
[notices.{name}]
kind = "{kind}"
version = 2
language = "en"
sha256 = "94d8b83e2398aceaf9b9d98909ab5822987af47924c700f2f2b856bbc6723ed8"
published_at = 2026-05-31
purposes = [{purposes}]
supersedes = "{before}"
material = {material}
"""


def first_text(loaders: tuple[str, ...]) -> str:
    """The bundle that every scenario begins under; every edit of a loader counts as a mass change."""
    return _TEXT.replace("{loaders}", ", ".join(f'"{each}"' for each in loaders))


def changed(text: str, *lines: tuple[str, str]) -> str:
    """Another bundle, in which some lines say something else."""
    for old, new in (('version = "one"', 'version = "two"'), *lines):
        assert old in text, f"the bundle of the scenarios does not say {old!r}"
        text = text.replace(old, new, 1)
    return text


def on_another_basis(purpose: str, before: str, after: str) -> tuple[str, str]:
    """The lines that put a purpose on another basis."""
    head, _, rest = _TEXT.partition(f"[purposes.{purpose}]")
    assert head
    table = f"[purposes.{purpose}]" + rest.split("\n[", 1)[0]
    assert before in table
    return table, table.replace(before, after)


def with_notice(text: str, *, of: str, material: bool) -> str:
    """Another bundle, in which a newer text has taken the place of `of`: consent-1 or privacy-1."""
    consent = of == "consent-1"
    purposes = (
        ("news", "taste")
        if consent
        else ("offers", "research", "census", "service", "duties", "rescue")
    )
    return changed(text) + _NOTICE.format(
        name=of.replace("-1", "-2"),
        kind="CONSENT" if consent else "PRIVACY",
        purposes=", ".join(f'"{each}"' for each in purposes),
        before=of,
        material=str(material).lower(),
    )


@lru_cache(maxsize=64)
def policy_of(text: str) -> Policy:
    """A bundle as the bridge reads it."""
    return parse_policy(text)
