"""The report: made, and sent."""

import json
import os
import urllib.request

import digdag


def write(trends, title):
    lines = [title, "", f"{'region':<8}{'total':>12}{'mean':>10}{'a day':>8}{'next':>10}"]
    for region, found in sorted(trends.items(), key=lambda item: -item[1]["total"]):
        lines.append(
            f"{region:<8}{found['total']:>12,.2f}{found['mean']:>10,.2f}{found['slope']:>+8.2f}{found['next']:>10,.2f}"
        )
    total = sum(found["total"] for found in trends.values())
    best = max(trends, key=lambda region: trends[region]["slope"])
    lines += ["", f"In all {total:,.2f} EUR. Growing fastest: {best}."]
    digdag.env.store({"report": "\n".join(lines), "best": best})


def send(report):
    """Posts the report as Slack's webhooks want it: JSON with a text."""
    request = urllib.request.Request(
        os.environ["REPORT_WEBHOOK"],
        data=json.dumps({"text": report}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        print(f"The report was sent: {answer.status}")
