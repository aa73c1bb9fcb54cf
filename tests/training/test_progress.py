"""The line that shows a training's progress keeps its numbers at 80 columns."""

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from multihot.training.callbacks import progress_columns


@pytest.mark.parametrize(("updates", "shown"), [(192, "update 64/192"), (1_000_000, "333,333/1,000,000")])
@pytest.mark.parametrize("width", [80, 120])
def test_numbers_come_first_and_the_bar_shrinks(updates, shown, width):
    clock = [0.0]
    console = Console(width=width, force_terminal=True, file=io.StringIO(), color_system=None)
    progress = Progress(*progress_columns(updates), console=console, expand=True, get_time=lambda: clock[0], speed_estimate_period=1e9)
    task = progress.add_task("epoch 10/12", total=updates, measure="micro-F1 0.9278 (best 0.9375)")
    for step in range(1, 4):
        clock[0] = 1000.0 * step
        progress.update(task, completed=updates // 9 * step)
    progress.update(task, completed=updates // 3)
    console.print(progress.get_renderable())
    line = console.file.getvalue().rstrip("\n")
    assert len(line) <= width
    assert line.startswith(f"epoch 10/12 {shown} 1:")  # about 6000 seconds
    assert " left micro-F1 0.9278 (best 0.9375) " in line
    assert "…" not in line
