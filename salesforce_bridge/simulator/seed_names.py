"""Names, places and numbers of people who do not exist."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """Where some of the people live, with the numbers its regulator keeps for fiction."""

    name: str
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    cities: tuple[tuple[str, str], ...]
    """City and a postal code in it."""
    streets: tuple[str, ...]
    lines: tuple[tuple[str, int, int], ...]
    """Office numbers: what they begin with, how many digits vary, and how many there are."""
    mobiles: tuple[tuple[str, int, int], ...]


_AREAS: tuple[int, ...] = (
    *(202, 206, 212, 214, 215, 216, 303, 305, 312, 313, 314, 404, 412, 415, 503, 504, 505),
    *(512, 602, 612, 614, 615, 617, 619, 702, 704, 713, 718, 801, 808, 816, 901, 904, 907),
)

COUNTRIES = (
    Country(
        name="United Kingdom",
        first_names=("Amelia", "Arthur", "Freya", "George", "Harriet", "Imran", "Maya", "Oscar"),
        last_names=("Ashworth", "Bramwell", "Cartwright", "Hussain", "Okafor", "Pemberton", "Shaw"),
        cities=(("London", "EC1A 1BB"), ("Leeds", "LS1 4AP"), ("Cardiff", "CF10 1EP")),
        streets=("High Street", "Station Road", "Mill Lane"),
        lines=(("+44 20 7946 0", 3, 1000), ("+44 113 496 0", 3, 1000), ("+44 161 496 0", 3, 1000)),
        mobiles=(("+44 7700 900", 3, 1000),),
    ),
    Country(
        name="Germany",
        first_names=("Anja", "Bernd", "Emre", "Franziska", "Jonas", "Leyla", "Matthias", "Svenja"),
        last_names=("Albrecht", "Demir", "Engelhardt", "Hofmann", "Krüger", "Lindner", "Voß"),
        cities=(("Berlin", "10115"), ("Hamburg", "20095"), ("Köln", "50667")),
        streets=("Hauptstraße", "Gartenweg", "Am Markt"),
        lines=(("+49 30 23125 ", 3, 1000), ("+49 69 90009 ", 3, 1000), ("+49 40 66969 ", 3, 1000)),
        mobiles=(("+49 176 040690", 2, 100), ("+49 171 39200", 2, 100)),
    ),
    Country(
        name="France",
        first_names=("Aïcha", "Benoît", "Camille", "Élodie", "Hugo", "Jules", "Noémie", "Théo"),
        last_names=("Benali", "Chevalier", "Dubois", "Fontaine", "Lefèvre", "Marchand", "Roux"),
        cities=(("Paris", "75002"), ("Lyon", "69001"), ("Nantes", "44000")),
        streets=("rue de la Paix", "avenue des Tilleuls", "place du Marché"),
        lines=(("+33 1 99 00 ", 4, 10_000), ("+33 4 65 71 ", 4, 10_000)),
        mobiles=(("+33 6 39 98 ", 4, 10_000),),
    ),
    Country(
        name="United States",
        first_names=("Aaliyah", "Brandon", "Carmen", "Derek", "Emily", "Kenji", "Rachel", "Tyrone"),
        last_names=("Alvarez", "Brooks", "Callahan", "Goldberg", "Nguyen", "Patterson", "Whitaker"),
        cities=(("New York", "10001"), ("Austin", "78701"), ("Denver", "80202")),
        streets=("Maple Avenue", "2nd Street", "Lakeview Drive"),
        lines=tuple((f"+1 {area} 555 01", 2, 100) for area in _AREAS[::2]),
        mobiles=tuple((f"+1 {area} 555 01", 2, 100) for area in _AREAS[1::2]),
    ),
    Country(
        name="Sweden",
        first_names=("Astrid", "Björn", "Ebba", "Fatima", "Gustav", "Linnea", "Nils", "Saga"),
        last_names=("Åkesson", "Bergström", "Dahlgren", "Ekholm", "Lindqvist", "Nyberg", "Öberg"),
        cities=(("Stockholm", "111 20"), ("Malmö", "211 20")),
        streets=("Storgatan", "Skolvägen", "Kyrkogatan"),
        lines=(("+46 8 465 004 ", 2, 100), ("+46 31 390 06 ", 2, 100)),
        mobiles=(("+46 70 174 06 ", 2, 100),),
    ),
    Country(
        name="Australia",
        first_names=("Alinta", "Bruce", "Chloe", "Declan", "Jarrah", "Mei", "Olivia", "Ryan"),
        last_names=("Barker", "Chen", "Doyle", "Fitzgerald", "Kelly", "McIntyre", "Papadopoulos"),
        cities=(("Sydney", "2000"), ("Brisbane", "4000")),
        streets=("George Street", "Wattle Road", "Harbour Parade"),
        lines=(("+61 2 5550 ", 4, 10_000), ("+61 7 5550 ", 4, 10_000)),
        mobiles=(),
    ),
)

COMPANY_WORDS = (
    (
        "Amber",
        "Birch",
        "Cobalt",
        "Delta",
        "Elm",
        "Falcon",
        "Granite",
        "Harbour",
        "Indigo",
        "Juniper",
    ),
    (
        "Analytics",
        "Bakery",
        "Clinics",
        "Design",
        "Energy",
        "Foods",
        "Garden",
        "Housing",
        "Logistics",
    ),
    ("Ltd", "GmbH", "SARL", "Inc", "AB", "Group", "Partners"),
)
TITLES = ("Buyer", "Director", "Engineer", "Head of Marketing", "Office Lead", "Owner", "Planner")
DOMAINS = ("example.com", "example.org", "example.net")


def numbers(ranges: tuple[tuple[str, int, int], ...]) -> Iterator[str]:
    """Every number of some ranges once; they end, for there is only so much fiction."""
    for start, digits, count in ranges:
        # A stride that shares no factor with the count visits each number, in no visible order.
        for step in range(count):
            yield f"{start}{step * 37 % count:0{digits}d}"
