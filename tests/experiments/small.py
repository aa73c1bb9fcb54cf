"""A small real job for the tests: texts whose words give their labels away, and settings under which it trains in a second."""

from __future__ import annotations

import csv
import random
from pathlib import Path

TOPICS = {"grain": "wheat corn harvest", "metal": "gold copper mine", "money": "bank rate currency", "ship": "port vessel cargo"}

COMMON = ["the", "of", "and", "said", "in"]

QUICK = {
    "method.encoder": {"name": "text_cnn", "embedding_size": 16, "width": 32, "dropout": 0.1},
    "method.scorer": {"name": "binary_relevance", "hidden_size": 32, "dropout": 0.1},
    "training.epochs": 20,
    "training.batch_size": 16,
    "training.learning_rate": 0.01,
    "training.device": "cpu",
}


def small_rows(rows: int = 240, seed: int = 0) -> list[dict]:
    """Every text holds words of its topics among common words; some texts have no topic."""
    draw = random.Random(seed)
    made = []
    for number in range(rows):
        labels = [topic for topic in TOPICS if draw.random() < 0.35]
        words = [draw.choice(TOPICS[topic].split()) for topic in labels for _ in range(2)] + draw.choices(COMMON, k=8)
        draw.shuffle(words)
        made.append({"id": f"n{number}", "body": " ".join(words), "tags": labels})
    return made


def write_csv(path: Path, rows: list[dict], labelled: bool = True) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "body", "tags"] if labelled else ["id", "body"])
        for row in rows:
            cells = [row["id"], row["body"]]
            writer.writerow([*cells, ";".join(row["tags"])] if labelled else cells)
    return path
