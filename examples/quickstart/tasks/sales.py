"""Sales of some shops: where the rows come from, and what makes them fit to count."""

import datetime
import random

import digdag


def make(days, seed, regions, session_date):
    """Makes up the rows of `days` days before the session, faults included, as cash registers send them."""
    days = int(days)  # -p gives text
    if days < 2:
        raise ValueError(f"a trend needs at least 2 days, but days is {days}")
    rng = random.Random(int(seed))
    last = datetime.date.fromisoformat(session_date)
    rows = []
    for place, region in enumerate(regions):
        level, slope = 900 + 150 * place, rng.uniform(-4, 8)
        for back in range(days, 0, -1):
            amount = level + slope * (days - back) + rng.gauss(0, 40)
            row = {"day": str(last - datetime.timedelta(days=back)), "region": region, "amount": f"{amount:.2f}"}
            fault = rng.random()
            if fault < 0.04:
                row["amount"] = rng.choice(["", "n/a", "-1"])
            rows.append(row)
            if fault > 0.97:
                rows.append(dict(row))  # sent twice
    rng.shuffle(rows)
    # More than 16 KiB (try -p days=90) goes into a file of its own; the tasks that follow do not notice.
    digdag.env.store({"raw": rows})
    print(f"{len(rows)} rows for {len(regions)} regions")


def rates(outage=0):
    """Asks for exchange rates. The source is down as often as `outage` says, which is what _retry is for."""
    if random.random() < float(outage):
        raise ConnectionError("the exchange rates cannot be reached just now")
    digdag.env.store({"rates": {"EUR": 1.0, "GBP": 1.17, "CHF": 1.05}})


def clean(raw, region, currencies, rates):
    """Keeps one sound row a day for a region, in euros."""
    rate = rates[currencies[region]]
    seen, rows, dropped = set(), [], 0
    for row in raw:
        if row["region"] != region:
            continue
        try:
            amount = float(row["amount"])
        except ValueError:
            amount = -1.0
        if amount < 0 or row["day"] in seen:
            dropped += 1
            continue
        seen.add(row["day"])
        rows.append([row["day"], round(amount * rate, 2)])
    rows.sort()
    digdag.env.store({f"clean_{region}": rows})
    print(f"{region}: {len(rows)} rows kept, {dropped} dropped")
