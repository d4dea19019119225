"""Formulas mean here what they mean in a real org."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest

from salesforce_bridge.simulator.formulas import (
    Formula,
    FormulaFailed,
    FormulaRefused,
    compile_condition,
    compile_field,
    compile_formula,
)
from salesforce_bridge.simulator.schema import (
    Field,
    ObjectType,
    PicklistValue,
    Project,
    ValidationRule,
    Value,
)

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CONTACT_ID = "003000000000001AAA"


@dataclass
class Record:
    """A record in the middle of a save, with what formulas may ask about it."""

    now_is: Mapping[str, Value] = field(default_factory=dict)
    before: Mapping[str, Value] | None = None
    permissions: frozenset[str] = frozenset()
    settings: Mapping[str, Value] = field(default_factory=dict)

    def value(self, path: tuple[str, ...]) -> Value:
        return self.now_is.get(".".join(path))

    def prior(self, path: tuple[str, ...]) -> Value:
        assert self.before is not None
        return self.before.get(".".join(path))

    def changed(self, name: str) -> bool:
        assert self.before is not None
        return self.now_is.get(name) != self.before.get(name)

    def is_new(self) -> bool:
        return self.before is None

    def permission(self, name: str) -> bool:
        return name in self.permissions

    def setup(self, setting: str, field: str) -> Value:
        return self.settings.get(f"{setting}.{field}")

    def user(self, field: str) -> Value:
        return {"Id": "005000000000001AAA", "Username": "rep@acme.test"}[field]

    def now(self) -> datetime:
        return NOON


def a_field(name: str, kind: str, **more: object) -> Field:
    return Field(name=name, label=name, type=kind, custom=True, **more)  # type: ignore[arg-type]  # the tests' own shorthand


def an_object(*fields: Field) -> ObjectType:
    standard = (
        a_field("Id", "id"),
        a_field("Text__c", "string", length=80),
        a_field("Other__c", "string", length=80),
        a_field("Number__c", "double", precision=10, scale=2),
        a_field("Flag__c", "boolean"),
        a_field("Day__c", "date"),
        a_field("Moment__c", "datetime"),
        a_field("Later__c", "datetime"),
        a_field(
            "Status__c",
            "picklist",
            picklist=(PicklistValue(value="Open", label="Open"),),
        ),
        a_field("Tags__c", "multipicklist"),
        a_field("Long__c", "textarea", length=32_000),
        a_field(
            "Contact__c",
            "reference",
            reference_to=("Contact",),
            relationship_name="Contact__r",
        ),
    )
    return ObjectType(
        name="Thing__c",
        label="Thing",
        label_plural="Things",
        key_prefix="a00",
        fields={each.name: each for each in (*standard, *fields)},
    )


def a_project(thing: ObjectType) -> Project:
    contact = ObjectType(
        name="Contact",
        label="Contact",
        label_plural="Contacts",
        key_prefix="003",
        fields={"DoNotCall": a_field("DoNotCall", "boolean")},
    )
    setting = ObjectType(
        name="Health__c",
        label="Health",
        label_plural="Health",
        key_prefix="a01",
        custom_setting=True,
        fields={"At__c": a_field("At__c", "datetime")},
    )
    user = ObjectType(
        name="User",
        label="User",
        label_plural="Users",
        key_prefix="005",
        fields={"Id": a_field("Id", "id"), "Username": a_field("Username", "string")},
    )
    return Project(
        objects={each.name: each for each in (thing, contact, setting, user)},
        permission_sets={},
        custom_permissions=frozenset({"May_Write"}),
        flows=(),
        api_version="66.0",
    )


def compiled(text: str) -> Formula:
    thing = an_object()
    return compile_formula(text, object_type=thing, project=a_project(thing))


def value_of(text: str, **fields: Value) -> Value:
    return compiled(text).evaluate(Record(now_is=fields))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("2 ^ 3 ^ 1", 8),
        ("-2 + 5", 3),
        ("10 - 2 - 3", 5),
        ("7 / 2", 3.5),
        ('"a" & "b" + "c"', "abc"),
        ("'single' & \"double\"", "singledouble"),
        ('"say \\"hi\\""', 'say "hi"'),
        ("/* nothing */ 1 /* here */ + 1", 2),
        ("1 = 1 && 2 <> 3", True),
        ("1 == 2 || 2 != 3", True),
        ("TRUE || FALSE && FALSE", True),
        ("!TRUE", False),
        ("not(true)", False),
        ("if(1 < 2, 'yes', 'no')", "yes"),
    ],
)
def test_operators_bind_as_they_do_in_a_real_org(text: str, expected: Value) -> None:
    assert value_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Blank text equals blank text, and nothing else.
        ('Text__c = ""', True),
        ("Text__c = Other__c", True),
        ('Text__c <> "x"', True),
        ("Text__c = NULL", True),
        ('Text__c & "x"', "x"),
        ("ISBLANK(Text__c)", True),
        ("ISNULL(Text__c)", False),
        ('BLANKVALUE(Text__c, "none")', "none"),
        ('NULLVALUE(Text__c, "none")', None),
        ("LEN(Text__c)", 0),
        ("UPPER(Text__c)", None),
        # A blank number or moment makes any comparison unknown.
        ("Number__c = 0", None),
        ("Number__c <> 0", None),
        ("Number__c < 5", None),
        ("NOT(Number__c < 5)", None),
        ("Number__c + 1", None),
        ("Moment__c <= NOW()", None),
        ("Moment__c = Later__c", None),
        ("NOW() - Moment__c > 1", None),
        ("ISBLANK(Number__c)", True),
        ("ISNULL(Number__c)", True),
        ("BLANKVALUE(Number__c, 7)", 7),
        ("NULLVALUE(Number__c, 7)", 7),
        # What is unknown counts as false where a decision is taken.
        ("IF(Number__c < 5, 1, 2)", 2),
        ("AND(TRUE, Number__c < 5)", False),
        ("OR(FALSE, Number__c < 5)", False),
        ("NOT(AND(TRUE, Number__c < 5))", True),
        # A picklist with nothing chosen.
        ('ISPICKVAL(Status__c, "")', True),
        ('ISPICKVAL(Status__c, "Open")', False),
        ("ISBLANK(TEXT(Status__c))", True),
        ('TEXT(Status__c) = ""', True),
        ('CASE(Status__c, "Open", "o", "", "nothing", "else")', "nothing"),
        ('INCLUDES(Tags__c, "a")', False),
        ('CASE(Number__c, 0, "zero", "else")', "else"),
        # A box is never blank, not even that of a missing parent.
        ("IF(Flag__c, 1, 2)", 2),
        ("Flag__c = FALSE", True),
        ("IF(Contact__r.DoNotCall, 1, 2)", 2),
    ],
)
def test_a_blank_is_treated_as_in_a_real_org(text: str, expected: Value) -> None:
    assert value_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LEFT('abcdef', 2)", "ab"),
        ("RIGHT('abcdef', 2)", "ef"),
        ("RIGHT('abc', 9)", "abc"),
        ("MID('abcdef', 2, 3)", "bcd"),
        ("LEFT('abc', 0)", None),
        ("TRIM('  a b ')", "a b"),
        ("UPPER('aB')", "AB"),
        ("LOWER('aB')", "ab"),
        ("LEN('abc')", 3),
        ("CONTAINS('abc', 'b')", True),
        ("CONTAINS('abc', 'B')", False),
        ("CONTAINS('abc', '')", True),
        ("BEGINS('abc', 'ab')", True),
        ("BEGINS('abc', 'b')", False),
        ("FIND('b', 'abcb')", 2),
        ("FIND('b', 'abcb', 3)", 4),
        ("FIND('x', 'abc')", 0),
        ("SUBSTITUTE('a-b-c', '-', '')", "abc"),
        ("REGEX('A-123', '[A-Z]-\\\\d+')", True),
        ("REGEX('xA-123', '[A-Z]-\\\\d+')", False),
        ("'a' = 'A'", False),
        ("VALUE('12.5')", 12.5),
        ("TEXT(12)", "12"),
        ("TEXT(12.50)", "12.5"),
        ("TEXT(0.1 + 0.2)", "0.3"),
        ("ROUND(2.5, 0)", 3),
        ("ROUND(-2.5, 0)", -3),
        ("ABS(-2)", 2),
        ("CASE(2, 1, 'one', 2, 'two', 'many')", "two"),
        ("CASE('z', 'x', 1, 'y', 2, 3)", 3),
        ("CASESAFEID('00530000003xqAb')", "00530000003xqAbAAI"),
    ],
)
def test_functions_of_text_and_number_answer_as_documented(text: str, expected: Value) -> None:
    assert value_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TODAY()", date(2026, 3, 1)),
        ("NOW()", NOON),
        ("TODAY() + 1", date(2026, 3, 2)),
        ("1 + TODAY()", date(2026, 3, 2)),
        ("TODAY() + 1.9", date(2026, 3, 2)),
        ("TODAY() - Day__c", 28),
        ("NOW() - Moment__c", 0.5),
        ("(NOW() - Moment__c) * 1440", 720),
        ("NOW() - 5 / 1440", NOON - timedelta(minutes=5)),
        ("Moment__c + 0.5 = NOW()", True),
        ("Moment__c < NOW()", True),
        ("DATEVALUE(NOW()) = TODAY()", True),
        ("DATEVALUE('2026-03-01') = TODAY()", True),
        ("YEAR(TODAY()) * 10000 + MONTH(TODAY()) * 100 + DAY(TODAY())", 20260301),
        ("TEXT(TODAY())", "2026-03-01"),
        ("TEXT(NOW())", "2026-03-01 12:00:00Z"),
        ("DATETIMEVALUE('2026-03-01 12:00:00') = NOW()", True),
        ("DATETIMEVALUE('2026-03-01T13:00:00+01:00') = NOW()", True),
        ("DATEVALUE(Day__c) = Day__c", True),
        ("TODAY() > Day__c", True),
    ],
)
def test_days_are_the_unit_in_which_dates_are_counted(text: str, expected: Value) -> None:
    fields: dict[str, Value] = {
        "Day__c": date(2026, 2, 1),
        "Moment__c": NOON - timedelta(hours=12),
    }
    assert value_of(text, **fields) == expected


@pytest.mark.parametrize(
    "text",
    [
        'Status__c = "Open"',
        '"Open" <> Status__c',
        "ISBLANK(Status__c)",
        'BLANKVALUE(Status__c, "x")',
        'CONTAINS(Status__c, "O")',
        'IF(TRUE, Status__c, "x")',
        'Status__c & "x"',
        "ISPICKVAL(Status__c, Text__c)",
        'ISPICKVAL(Text__c, "Open")',
        "CASE(Status__c, Text__c, 1, 2)",
    ],
)
def test_a_picklist_is_refused_outside_its_own_functions(text: str) -> None:
    with pytest.raises(FormulaRefused, match=r"[Pp]icklist|text literal"):
        compiled(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Text__c = 1", "Incorrect parameter type"),
        ("Text__c + 1", "Incorrect parameter type"),
        ("Moment__c > Day__c", "Incorrect parameter type"),
        ("Moment__c - Day__c", "Incorrect parameter type"),
        ("Moment__c + Later__c", "Incorrect parameter type"),
        ("Flag__c > TRUE", "Incorrect parameter type"),
        ("IF(Text__c, 1, 2)", "Incorrect parameter type"),
        ("IF(Flag__c, 1, 'a')", "Incorrect parameter type"),
        ("IF(Flag__c, 1)", "Incorrect number of parameters"),
        ("CASE(Text__c, 'a', 1)", "Incorrect number of parameters"),
        ("CASE(Flag__c, TRUE, 1, 2)", "Incorrect parameter type"),
        ("AND(Text__c, TRUE)", "Incorrect parameter type"),
        ("TEXT(Text__c)", "Incorrect parameter type"),
        ("TEXT(Flag__c)", "Incorrect parameter type"),
        ("ISBLANK(Flag__c)", "Incorrect parameter type"),
        ("LEN(Number__c)", "Incorrect parameter type"),
        ("ISCHANGED(Contact__r.DoNotCall)", "field of the record itself"),
        ("PRIORVALUE(Text__c & 'x')", "field of the record itself"),
        ("Missing__c = 'x'", "does not exist"),
        ("Contact__r.Missing__c", "does not exist"),
        ("Nobody__r.Name", "does not exist"),
        ("$Permission.Unknown", "does not exist"),
        ("$Setup.Health__c.Missing__c", "does not exist"),
        ("$Setup.Contact.DoNotCall", "does not exist"),
        ("$Label.Hello", "does not exist"),
        ("$User.Missing", "does not exist"),
        ("HYPERLINK('http://x', 'x')", "Unknown function"),
        ("IMAGE('/x.png', 'x')", "Unknown function"),
        ("VLOOKUP(Text__c, Text__c, Text__c)", "Unknown function"),
        ("1 +", "Syntax error"),
        ("NOT TRUE", "Syntax error"),
        ("'open", "Syntax error"),
        ("", "Syntax error"),
        ("'a\\q'", "Invalid escape"),
        ("1 + " * 1000 + "1", "too long"),
    ],
)
def test_a_formula_that_a_real_org_would_not_save_is_refused(text: str, reason: str) -> None:
    with pytest.raises(FormulaRefused, match=reason):
        compiled(text)


@pytest.mark.parametrize(
    "text", ["1 / 0", "VALUE('x')", "DATEVALUE('x')", "REGEX('a', '(')", "DATETIMEVALUE('x')"]
)
def test_a_formula_that_cannot_be_calculated_says_so(text: str) -> None:
    with pytest.raises(FormulaFailed):
        value_of(text)


def test_names_are_found_in_any_case_and_asked_for_by_their_exact_one() -> None:
    formula = compiled("AND(flag__C, contact__R.donotcall)")
    assert formula.evaluate(Record(now_is={"Flag__c": True, "Contact__r.DoNotCall": True})) is True


def test_a_formula_tells_what_it_reads_and_calls() -> None:
    formula = compiled("IF(Contact__r.DoNotCall, TEXT(Status__c), Text__c) & $User.Username")
    assert formula.fields == {"Contact__r.DoNotCall", "Status__c", "Text__c"}
    assert formula.globals == {"$User.Username"}
    assert formula.functions == {"IF", "TEXT"}


def test_globals_speak_of_the_running_user_and_the_settings() -> None:
    record = Record(
        permissions=frozenset({"May_Write"}), settings={"Health__c.At__c": NOON - timedelta(days=1)}
    )
    assert compiled("$Permission.May_Write").evaluate(record) is True
    assert compiled("NOW() - $Setup.Health__c.At__c").evaluate(record) == 1
    assert compiled("$user.username").evaluate(record) == "rep@acme.test"
    assert compile_formula("$User.Username").evaluate(record) == "rep@acme.test"
    assert compile_formula("$Setup.Health__c.At__c").evaluate(record) == NOON - timedelta(days=1)


def test_an_id_has_fifteen_characters_inside_a_formula() -> None:
    assert value_of("Contact__c", Contact__c=CONTACT_ID) == CONTACT_ID[:15]
    assert value_of("CASESAFEID(Contact__c)", Contact__c=CONTACT_ID) == CONTACT_ID
    assert compile_formula("$User.Id").evaluate(Record()) == "005000000000001"
    assert compiled("$User.Id").evaluate(Record()) == "005000000000001"


def test_nothing_has_changed_while_a_record_is_being_created() -> None:
    new = Record(now_is={"Text__c": "a", "Status__c": "Open"})
    assert compiled("ISNEW()").evaluate(new) is True
    assert compiled("ISCHANGED(Text__c)").evaluate(new) is False
    assert compiled("PRIORVALUE(Text__c)").evaluate(new) == "a"
    assert compiled('ISPICKVAL(PRIORVALUE(Status__c), "Open")').evaluate(new) is True


def test_an_update_is_compared_with_what_was_stored() -> None:
    saved = Record(now_is={"Text__c": "b"}, before={"Text__c": "a", "Status__c": "Open"})
    assert compiled("ISNEW()").evaluate(saved) is False
    assert compiled("ISCHANGED(Text__c)").evaluate(saved) is True
    assert compiled("ISCHANGED(Number__c)").evaluate(saved) is False
    assert compiled("ISCHANGED(Status__c)").evaluate(saved) is True
    assert compiled("PRIORVALUE(Text__c)").evaluate(saved) == "a"
    assert compiled("TEXT(PRIORVALUE(Status__c))").evaluate(saved) == "Open"


def test_the_second_way_of_an_if_is_not_calculated() -> None:
    assert value_of("IF(TRUE, 1, 1 / 0)") == 1
    assert value_of("OR(TRUE, 1 / 0 > 1)") is True
    assert value_of("AND(FALSE, 1 / 0 > 1)") is False


def test_without_a_schema_the_values_decide() -> None:
    record = Record(now_is={"A": "x", "N": 3})
    assert compile_formula('A = "x"').evaluate(record) is True
    assert compile_formula('Missing = ""').evaluate(record) is True
    assert compile_formula("N > 2").evaluate(record) is True
    assert compile_formula("Missing > 2").evaluate(record) is None


def a_formula_field(text: str, kind: str, **more: object) -> Field:
    return a_field("Formula__c", kind, formula=text, **more)


def field_value(formula_field: Field, **fields: Value) -> Value:
    thing = an_object(formula_field)
    return compile_field(formula_field, thing, a_project(thing)).evaluate(Record(now_is=fields))


def test_a_formula_field_yields_what_its_type_can_hold() -> None:
    assert field_value(a_formula_field("Number__c / 3", "double", scale=2), Number__c=2) == 0.67
    assert field_value(a_formula_field("Number__c > 3", "boolean")) is False
    assert field_value(a_formula_field("Text__c & ''", "string")) is None
    assert field_value(a_formula_field("1 / Number__c", "double", scale=2), Number__c=0) is None


def test_a_multiple_choice_includes_each_of_its_values() -> None:
    assert value_of("INCLUDES(Tags__c, 'b')", Tags__c="a;b") is True
    assert value_of("INCLUDES(Tags__c, 'c')", Tags__c="a;b") is False


def test_a_formula_field_takes_blanks_for_zero_only_if_told_to() -> None:
    as_zero = a_formula_field("Number__c + 1", "double", scale=0, blanks_as_zero=True)
    assert field_value(as_zero) == 1
    assert field_value(a_formula_field("Number__c + 1", "double", scale=0)) is None


@pytest.mark.parametrize("text", ["ISNEW()", "ISCHANGED(Text__c)", "PRIORVALUE(Flag__c)"])
def test_a_formula_field_knows_nothing_of_saves(text: str) -> None:
    with pytest.raises(FormulaRefused, match="may not be used in this type of formula"):
        field_value(a_formula_field(text, "boolean"))


def test_a_formula_field_cannot_read_a_long_text() -> None:
    with pytest.raises(FormulaRefused, match="long text area"):
        field_value(a_formula_field("Long__c", "string"))


def test_a_formula_field_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(FormulaRefused, match="incompatible with double"):
        field_value(a_formula_field("Text__c", "double"))


def test_a_rule_holds_only_when_its_condition_is_known_to_be_true() -> None:
    thing = an_object()
    rule = ValidationRule(name="R", condition="Number__c > 3", message="no")
    condition = compile_condition(rule, thing, a_project(thing))
    assert condition.holds(Record(now_is={"Number__c": 4}))
    assert not condition.holds(Record(now_is={"Number__c": 3}))
    assert not condition.holds(Record())


def test_a_rule_whose_condition_is_no_condition_is_refused() -> None:
    thing = an_object()
    rule = ValidationRule(name="R", condition="Number__c + 3", message="no")
    with pytest.raises(FormulaRefused, match="not Boolean"):
        compile_condition(rule, thing, a_project(thing))
