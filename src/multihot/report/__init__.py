"""One self-contained HTML file about a run, or about several runs on the same instances. Reads run folders, never a model."""

from .build import make_report, write_report

__all__ = ["make_report", "write_report"]
