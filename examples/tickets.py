"""Write ``train.csv`` and ``new.csv`` into the current folder: made-up help-desk tickets, for a first run without any data of your own.

    python examples/tickets.py
    multihot train train.csv --text body --labels tags --out runs/first
    multihot predict runs/first new.csv

A ticket mentions one to three things that went wrong; its tags are the departments concerned. Billing and refunds come together more
often than chance would have it, as labels do.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

PHRASES = {
    "billing": ["the invoice shows the wrong amount", "I was charged twice this month", "my card was declined although it is valid"],
    "refund": ["please send my money back", "I want a refund for last month", "when will the refund arrive"],
    "login": ["I cannot sign in any more", "the password reset mail never comes", "two-factor codes are refused"],
    "delivery": ["the parcel has not arrived", "the courier left it at the wrong door", "tracking has not moved for a week"],
    "damage": ["the screen came cracked", "one of the legs is broken", "the box was crushed and wet"],
}
TOGETHER = {"billing": "refund", "delivery": "damage"}  # the second follows the first in half of the tickets
OPENINGS = ["Hello,", "Good morning,", "Hi there,", "To whom it may concern,"]


def ticket(chance: random.Random) -> tuple[str, list[str]]:
    """One text with its tags."""
    tags = chance.sample(sorted(PHRASES), k=chance.choice([1, 1, 2]))
    tags += [TOGETHER[tag] for tag in tags if tag in TOGETHER and TOGETHER[tag] not in tags and chance.random() < 0.5]
    complaints = " and ".join(chance.choice(PHRASES[tag]) for tag in tags)
    return f"{chance.choice(OPENINGS)} {complaints}. Order {chance.randrange(10_000, 99_999)}.", sorted(tags)


def write(folder: Path, rows: int = 800, new_rows: int = 5, seed: int = 0) -> None:
    """Write both files; ``new.csv`` has no tags."""
    chance = random.Random(seed)
    with (folder / "train.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "body", "tags"])
        for number in range(rows):
            body, tags = ticket(chance)
            writer.writerow([f"ticket-{number}", body, ";".join(tags)])
    with (folder / "new.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "body"])
        writer.writerows([f"new-{number}", ticket(chance)[0]] for number in range(new_rows))


if __name__ == "__main__":
    write(Path())
    print("wrote train.csv and new.csv; next: multihot train train.csv --text body --labels tags --out runs/first")
