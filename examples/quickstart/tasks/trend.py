"""A straight line through the sales of a region."""

import datetime

import digdag


def fit(region):
    """Least squares: euros a day, and what to expect on the next day."""
    rows = digdag.env.params[f"clean_{region}"]
    first = datetime.date.fromisoformat(rows[0][0])
    xs = [(datetime.date.fromisoformat(day) - first).days for day, _ in rows]
    ys = [amount for _, amount in rows]
    slope, at_first = line(xs, ys)
    found = {
        "total": round(sum(ys), 2),
        "mean": round(sum(ys) / len(ys), 2),
        "slope": round(slope, 2),
        "next": round(at_first + slope * (xs[-1] + 1), 2),
    }
    # The regions run at the same time; mappings that they store are merged.
    digdag.env.store({"trends": {region: found}})


def line(xs, ys):
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / spread if spread else 0.0
    return slope, mean_y - slope * mean_x
