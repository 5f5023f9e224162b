"""What reports are called."""

REPORT_NAME = "report.html"
