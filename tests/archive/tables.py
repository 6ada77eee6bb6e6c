"""Build the CSV texts of the archived home; each call returns the same text."""

import csv
import io
from random import Random

SIZE = "Gro\u0308ße"
"""A column name with a combining accent (NFD)."""
CAFE_NFD, CAFE_NFC = "cafe\u0301", "caf\u00e9"
STYLES = ("loft", "loft", "loft", "villa", "villa", CAFE_NFD, CAFE_NFD, "")
RARE_STYLES = ("barn", "tower", "yurt", "mill", "igloo", "cabin", "castle", "hut")
NUM_STREETS = 56
HOMES_ROWS, ORDERS_ROWS = 168, 120
HOMES_COLUMNS = (
    *(SIZE, "price", "style", "street", "zone", "garden", "heated", "built", "seen"),
    *("note", "owner", "rent", "sold", "grade", "stars"),
)
_WORDS = ("quiet", "bright", "near the river", "needs paint", "new roof", "two cellars")


def homes() -> str:
    """Return the table of homes: semicolons, decimal commas, day before month."""
    random = Random(11)
    return _csv(HOMES_COLUMNS, [_home(i, random) for i in range(HOMES_ROWS)], ";")


def _home(i: int, random: Random) -> list[object]:
    size = random.randrange(200, 1800) / 10
    style = RARE_STYLES[i // 9 % 8] if i % 9 == 4 else STYLES[i % 8]
    zone, garden = (1, 6, 10, 25)[random.randrange(4)], random.random() < 0.5
    rent = 300 + 7.5 * size + 12 * zone + 150 * garden + random.gauss(0, 40)
    size_cell = {5: "", 40: "", 41: "about 70"}.get(i, str(size).replace(".", ","))
    return [
        size_cell,
        _euros(1200 * size + random.randrange(40_000)),
        style,
        f"Weg {i * 5 % NUM_STREETS}",
        zone,
        "yes" if garden else "no",
        "" if i == 17 else ("true" if random.random() < 0.6 else "false"),
        f"{1 + i % 28:02d}/{1 + i % 12:02d}/{1950 + i % 70}",
        f"2024-{1 + i // 28:02d}-{1 + i % 28:02d}T{i % 24:02d}:30:00+02:00",
        f"{_WORDS[i % 6]}, {_WORDS[i // 6 % 6]}; number {i}",
        f"owner {i % 24}",
        f"{rent:.2f}".replace(".", ","),
        "Yes" if rent + random.gauss(0, 100) > 1200 else "No",
        ("low", "middle", "high")[(rent > 950) + (rent > 1400)],
        1 + (rent > 1000) + (rent > 1500),
    ]


def _euros(value: float) -> str:
    whole = f"{int(value):,}".replace(",", ".")
    return f"{whole},{int(value * 100) % 100:02d} €"


def orders(first: int = 0, num_rows: int = ORDERS_ROWS) -> str:
    """Return a table of orders: dollars, percent, brackets, special words for "missing"."""
    random = Random(100 + first)
    names = ("amount", "share", "balance", "channel", "part", "paid", "spent")
    rows = [_order(i, random) for i in range(first, first + num_rows)]
    return _csv(names, rows, ",")


def _order(i: int, random: Random) -> list[object]:
    amount, share = random.randrange(50_000, 999_900) / 100, random.randrange(100)
    balance = random.randrange(-500, 500)
    side = "test" if i % 6 == 5 else ("validation" if i % 6 == 4 else "train")
    return [
        "missing" if i % 25 == 3 else f"${amount:,.2f}",
        f"{share}%",
        f"({-balance})" if balance < 0 else balance,
        "unknown" if i % 20 == 7 else ("web", "shop", "phone")[random.randrange(3)],
        side,
        "true" if amount + 20 * balance > 5000 else "false",
        round(0.2 * amount + 3 * share + balance, 2),
    ]


def points(slope: float) -> str:
    """Return a straight line and a category."""
    return "x,kind,y\n" + "".join(
        f"{i},{'ab'[i % 2]},{slope * i + 1}\n" for i in range(40)
    )


def _csv(names: tuple[str, ...], rows: list[list[object]], delimiter: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerows([list(names), *rows])
    return text.getvalue()


def cells_of(text: str, delimiter: str, rows: list[int]) -> list[dict[str, str]]:
    """Return some rows of a CSV text as instances; each cell is the raw text."""
    table = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
    return [table[row] for row in rows]
