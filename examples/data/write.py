"""Write the example tables, from the copies inside scikit-learn's wheel.

The page has a copy of one of them, because an installation has no folder `examples`.
"""

import csv
from pathlib import Path

from sklearn import datasets

HERE = Path(__file__).parent
OF_PAGE = HERE.parents[1] / "dashboard" / "static" / "examples" / "diabetes.csv"
DIABETES = {
    "age": "age",
    "sex": "sex",
    "bmi": "body mass index",
    "bp": "blood pressure",
    "s1": "total cholesterol",
    "s2": "ldl",
    "s3": "hdl",
    "s4": "cholesterol ratio",
    "s5": "log triglycerides",
    "s6": "blood sugar",
}


def write(name, columns, rows, targets):
    """Write one CSV: the features, then the target."""
    with (HERE / f"{name}.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row, target in zip(rows, targets, strict=True):
            writer.writerow([*(f"{value:.7g}" for value in row), target])


def main():
    """Write a table for regression, one with two classes, and one with three."""
    table = datasets.load_diabetes(scaled=False)
    names = [DIABETES[name] for name in table.feature_names]
    write("diabetes", [*names, "progression"], table.data, table.target.astype(int))
    OF_PAGE.write_bytes((HERE / "diabetes.csv").read_bytes())

    table = datasets.load_breast_cancer()
    labels = table.target_names[table.target]
    write("breast-cancer", [*table.feature_names, "diagnosis"], table.data, labels)

    table = datasets.load_wine()
    labels = [f"cultivar {place + 1}" for place in table.target]
    names = [name.replace("_", " ") for name in table.feature_names]
    write("wine", [*names, "cultivar"], table.data, labels)


if __name__ == "__main__":
    main()
